/** A visit of a real mail server on loopback, as a Send connector with these settings makes it. */
import { demoAuthority } from '../../src/commands/demo/smtp-servers.js';
import type { ProbeResult, TargetSettings } from '../../src/model.js';
import { createPolicy } from '../../src/probes/policy.js';
import { createProber } from '../../src/probes/probe.js';
import { targetOf } from '../../src/probes/targets.js';

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
