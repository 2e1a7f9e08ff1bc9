/** Servers of every kind, as two connectors find them: one without a rule for TLS, one that checks the certificate. */
import { describe, expect, it } from 'vitest';
import type { ProbeResult, TargetSettings } from '../../src/model.js';
import { createPolicy } from '../../src/probes/policy.js';
import { createProber } from '../../src/probes/probe.js';
import { targetOf } from '../../src/probes/targets.js';
import { playScript } from './scripted-server.js';
import { answersToEhlo, answersToStartTls, greetings } from './servers/before-tls.js';
import { trusted } from './servers/certificates.js';
import { scriptOf, type Row } from './servers/talk.js';
import { handshakes, insideTls, shownCertificates } from './servers/with-tls.js';

const prober = createProber({
  policy: createPolicy({ allow: ['127.0.0.0/8'], ports: ['1-65535'] }),
  ehloName: 'probe.contoso.example',
  extraCa: trusted,
  limits: { connectMs: 5000, bannerMs: 1500, replyMs: 3000, quitMs: 1500 },
});
const open: TargetSettings = { tlsDomain: 'mail.contoso.example' };
const strict: TargetSettings = { ...open, requireTls: true, tlsAuthLevel: 'DomainValidation' };

async function visit({ talk }: Row, settings: TargetSettings): Promise<ProbeResult> {
  const server = await playScript(scriptOf(talk));
  try {
    const target = { ...targetOf(server.destination, 'configured')!, settings };
    return (await prober.visit(target, new AbortController().signal))[0]!;
  } finally {
    await server.close();
  }
}

function outcomeOf({ success, failedStep, reason, warning }: ProbeResult): string {
  if (!success) return `fails ${failedStep} ${reason}`;
  return warning ? `warns ${warning.step} ${warning.reason}` : 'passes';
}

/** Several at a time: most of them wait for something. */
async function visitAll(rows: readonly Row[]): Promise<readonly (readonly [ProbeResult, ProbeResult])[]> {
  const results: [ProbeResult, ProbeResult][] = [];
  for (let first = 0; first < rows.length; first += 8) {
    const some = rows.slice(first, first + 8);
    results.push(...(await Promise.all(some.map((row) => Promise.all([visit(row, open), visit(row, strict)])))));
  }
  return results;
}

const tables = {
  greetings: greetings,
  'answers to EHLO': answersToEhlo,
  'answers to STARTTLS': answersToStartTls,
  handshakes: handshakes,
  certificates: shownCertificates,
  'inside TLS': insideTls,
};

describe('108 servers and more: step, reason and warning of each', () => {
  it.each(Object.entries(tables))(
    '%s',
    async (_table, rows) => {
      const results = await visitAll(rows);
      expect(
        Object.fromEntries(results.map(([a, b], at) => [rows[at]?.what, `${outcomeOf(a)} | ${outcomeOf(b)}`])),
      ).toEqual(Object.fromEntries(rows.map((row) => [row.what, `${row.open} | ${row.strict}`])));
      const unsaid = rows.flatMap(({ what, says }, at) => {
        const details = results[at]?.map(
          ({ steps }) => steps.find(({ outcome }) => outcome === 'failed')?.detail ?? '',
        );
        return says && !details?.every((detail) => says.test(detail)) ? [{ what, details }] : [];
      });
      expect(unsaid).toEqual([]);
    },
    120_000,
  );

  it('are more than 108', () => {
    expect(Object.values(tables).flat().length).toBeGreaterThanOrEqual(108);
  });
});
