/** Visits of a real mail server on loopback, as Send connectors make them. */
import { expect, vi } from 'vitest';
import { demoAuthority } from '../../src/commands/demo/smtp-talk.js';
import type { ProbeResult } from '../../src/model/probes.js';
import type { TargetSettings } from '../../src/model/connectors.js';
import { createPolicy } from '../../src/probes/policy.js';
import { createProber } from '../../src/probes/visit.js';
import { targetOf } from '../../src/probes/targets.js';

/** A connector that checks the certificate and its name. */
export const checkingDomain = {
  requireTls: true,
  tlsAuthLevel: 'DomainValidation',
  tlsDomain: 'mail.contoso.example',
} as const;

export async function visitPeer(port: number, settings: TargetSettings): Promise<ProbeResult> {
  const prober = createProber({
    policy: createPolicy({ allow: ['127.0.0.1'], ports: ['1-65535'] }),
    extraCa: demoAuthority().cert,
    ehloName: 'probe.contoso.example',
  });
  const target = targetOf(`127.0.0.1:${port}`, 'configured')!;
  const [result] = await prober.visit({ ...target, settings }, new AbortController().signal);
  return result!;
}

/** Waits until the server answers, then visits it in every way of a Send connector: all steps must pass. */
export async function passesEveryWay(port: number): Promise<void> {
  const answers = async (): Promise<void> => {
    expect((await visitPeer(port, {})).success).toBe(true);
  };
  await vi.waitFor(answers, { timeout: 60_000, interval: 500 });
  const ways = [checkingDomain, { ignoreStartTls: true }, { forceHelo: true }];
  const results = await Promise.all(ways.map((settings) => visitPeer(port, settings)));
  expect(
    results.map(({ success, steps }) => [success, steps.map(({ step, reason }) => reason ?? step).join(' ')]),
  ).toEqual([
    [true, 'tcp banner ehlo starttls tls ehlo_tls quit'],
    [true, 'tcp banner ehlo quit'],
    [true, 'tcp banner ehlo quit'],
  ]);
  expect(results[0]?.facts.tlsVersion).toBe('TLSv1.3');
}

/** The log of the server, once it tells of so many ends. */
export function logOnceIt(read: () => Promise<string>, ends: RegExp, atLeast: number): Promise<string> {
  return vi.waitFor(
    async () => {
      const text = await read();
      expect(text.match(ends)?.length).toBeGreaterThanOrEqual(atLeast);
      return text;
    },
    { timeout: 60_000, interval: 200 },
  );
}
