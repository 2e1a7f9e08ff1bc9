/** Situations as a person would meet them, each with its word and its sentence. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DiagnosedPair, diagnosesOf } from '../../src/diagnosis/diagnosis.js';
import type { Probed } from '../../src/diagnosis/surroundings.js';
import { diagnoses, reasons, stepNames, type Diagnosis, type Reason, type StepName } from '../../src/model/words.js';
import type { LedgerRow } from '../../src/model/batch.js';
import type { PathReport, PingReport } from '../../src/model/probes.js';
import type { RecentError } from '../../src/model/evidence.js';

function listOf(...of: Parameters<typeof diagnosesOf>): DiagnosedPair[] {
  return [...diagnosesOf(...of)].filter((each) => each !== undefined);
}

const now = Date.parse('2026-11-23T08:18:30Z');
const minute = 60_000;

function row(destination: string, changes: Partial<LedgerRow> & { ago?: number } = {}): LedgerRow {
  const { ago = 4, ...rest } = changes;
  const at = now - ago * minute;
  return {
    server: 'exch01',
    connector: 'Outbound to Internet',
    destination,
    errors: 1,
    attempts: 0,
    failures: {},
    lastErrorAt: at,
    lastObservedAt: at,
    lastAttemptAt: undefined,
    ...rest,
  };
}

type Draft = {
  step?: StepName | undefined;
  reason?: Reason;
  detail?: string;
  since?: number;
  ping?: PingReport;
  path?: PathReport;
};

function probed(destination: string, { step, reason, detail, since = 5, ping, path }: Draft = {}): Probed {
  const at = now - 20_000;
  const success = step === undefined;
  const failed = { outcome: 'failed', reason: reason ?? 'other', ...(detail !== undefined && { detail }) } as const;
  return {
    destination,
    latest: {
      id: `${destination}@${at}`,
      destination,
      host: destination.replace(/:\d+$/, ''),
      origin: 'observed',
      at,
      seconds: 0.1,
      success,
      failedStep: step,
      reason: success ? undefined : (reason ?? 'other'),
      steps: [success ? { step: 'tcp', seconds: 0.1, outcome: 'passed' } : { step, seconds: 0.1, ...failed }],
      facts: {},
      transcript: [],
    },
    failingSince: success ? undefined : now - since * minute,
    passingSince: success ? now - since * minute : undefined,
    ping,
    path,
  };
}

const echoes = (received: number): PingReport => ({ at: now, program: 'ping', state: 'done', sent: 4, received });
const pathUpTo = (address: string): PathReport => ({
  ...{ at: now, program: 'mtr', state: 'done', reached: false },
  hops: [{ hop: 1, address: '10.0.0.1' }, { hop: 2, address }, { hop: 3 }],
});
const [a, b, c, d, v6] = [
  '203.0.113.25:25',
  '203.0.113.26:25',
  '203.0.113.27:25',
  '203.0.113.28:25',
  '[2001:db8::1]:25',
];
const good = [probed(b), probed(c), probed(d)];
const down = (destination: string, reason: Reason = 'timeout', rest: Draft = {}): Probed =>
  probed(destination, { step: 'tcp', reason, ...rest });

type Situation = {
  readonly when: string;
  readonly rows?: readonly LedgerRow[];
  readonly entries: readonly Probed[];
  readonly notProbed?: string;
  /** Failures that the logs of exch01 tell of, minutes ago. */
  readonly recent?: readonly { destination: string; reason: Reason; ago: number }[];
  readonly word: Diagnosis;
  readonly says: string;
};

/** What one event shows where nobody looks: 16.2. */
const hadOne = 'Outbound to Internet had one error at 08:14 UTC with 203.0.113.25:25 from exch01';
const cannot = 'Outbound to Internet cannot reach 203.0.113.25:25 from exch01';
const passes = 'Outbound to Internet to 203.0.113.25:25';

const situations: readonly Situation[] = [
  {
    when: 'one destination is silent and three others answer',
    entries: [down(a), ...good],
    word: 'destination_down',
    says: `${cannot}: no answer in time since 08:13 UTC; 3 of 3 other destinations answer, so the remote side or the path to it is likely.`,
  },
  {
    when: 'it refuses, and others answer',
    entries: [down(a, 'refused'), ...good],
    word: 'destination_down',
    says: `${cannot}: connection refused since 08:13 UTC; 3 of 3 other destinations answer, so the remote service or a reject rule is likely, because the host itself answers.`,
  },
  {
    when: 'ping answers where the port is silent',
    entries: [down(a, 'timeout', { ping: echoes(4) }), ...good],
    word: 'destination_down',
    says: 'since 08:13 UTC; ping answers; 3 of 3 other destinations answer',
  },
  {
    when: 'neither ping nor port answers, and the path is seen in part',
    entries: [down(a, 'timeout', { ping: echoes(0), path: pathUpTo('198.51.100.1') }), ...good],
    word: 'destination_down',
    says: 'ping does not answer either, the path is seen up to hop 2 (198.51.100.1); 3 of 3',
  },
  {
    when: 'it has failed since the day before',
    entries: [down(a, 'timeout', { since: 24 * 60 }), ...good],
    word: 'destination_down',
    says: 'since 2026-11-22 08:18 UTC',
  },
  {
    when: 'nothing else is probed',
    entries: [down(a)],
    word: 'destination_down',
    says: 'nothing else is probed for comparison; the remote side or the path to it is likely.',
  },
  {
    when: 'packets get lost in part',
    entries: [down(a, 'timeout', { ping: echoes(2) }), ...good],
    word: 'network_path',
    says: 'ping loses 50 % of its packets',
  },
  {
    when: 'a router says that the host is unreachable',
    entries: [down(a, 'host_unreachable'), ...good],
    word: 'network_path',
    says: `${cannot}: host unreachable since 08:13 UTC`,
  },
  {
    when: 'a local rule forbids one connection',
    entries: [down(a, 'access_denied'), ...good],
    word: 'network_path',
    says: 'so the cause is on this side: local firewall',
  },
  {
    when: 'only IPv6 fails',
    rows: [row(v6), row(a, { ago: 600 })],
    entries: [down(v6, 'network_unreachable'), probed(a), ...good],
    word: 'network_path',
    says: 'only IPv6 fails (4 of 4 other destinations answer over IPv4), so IPv6 has no route from here.',
  },
  {
    when: 'only IPv4 fails',
    entries: [down(a), probed(v6)],
    word: 'network_path',
    says: 'only IPv4 fails (the 1 other destination answers over IPv6)',
  },
  {
    when: 'a whole connector fails and others do not',
    rows: [row(a), row(b), row(c, { connector: 'To Partner' })],
    entries: [down(a), down(b), probed(c)],
    word: 'connector_wide',
    says: 'both destinations of this connector fail while the 1 other destination answers elsewhere',
  },
  {
    when: 'a connector with three smart hosts fails',
    rows: [row(a), row(b), row(c), row(d, { connector: 'To Partner' })],
    entries: [down(a), down(b, 'refused'), down(c), probed(d)],
    word: 'connector_wide',
    says: 'all 3 destinations of this connector fail',
  },
  {
    when: 'nothing can be reached',
    entries: [down(a), down(b), down(c), down(v6, 'network_unreachable')],
    word: 'server_egress',
    says: 'all 4 destinations fail, so look at this side first',
  },
  {
    when: 'neither of two can be reached',
    entries: [down(a), down(b)],
    word: 'server_egress',
    says: 'both destinations fail',
  },
  {
    when: 'one server alone has errors on everything',
    rows: [a, b, c].flatMap((each) => [row(each), row(each, { server: 'exch02', ago: 600 })]),
    entries: [probed(a), ...good],
    word: 'server_egress',
    says: 'all 3 destinations of exch01 have errors while exch02 has none and the probe passes, so look at exch01 itself.',
  },
  {
    when: 'nothing can be reached by the probes, though the server itself is refused by one that it reached meanwhile',
    entries: [down(a), down(b), down(c)],
    recent: [{ destination: b, reason: 'banner_5xx', ago: 2 }],
    word: 'network_path',
    says: 'no probe can connect, while exch01 can according to its own logs, so look at the network of the exporter first.',
  },
  {
    when: 'two connectors of one server reach nothing, and another server reaches what it uses',
    rows: [row(a), row(b, { connector: 'To Partner' }), row(c, { server: 'exch02', connector: 'Lab', ago: 600 })],
    entries: [down(a), down(b, 'refused'), probed(c)],
    word: 'server_egress',
    says: 'both destinations of exch01 fail, though probes reach others, so look at this side first',
  },
  {
    when: 'two connectors of one server reach nothing of late, but a destination of it that is quiet is reached',
    rows: [row(a), row(b, { connector: 'To Partner' }), row(c, { ago: 600 })],
    entries: [down(a), down(b, 'refused'), probed(c, { step: 'tls', reason: 'certificate_expired' })],
    word: 'destination_down',
    says: '1 of 2 other destinations answer',
  },
  {
    when: 'all fail, but for reasons of their own: one was reached and refuses',
    rows: [row(a), row(b, { connector: 'To Partner' })],
    entries: [down(a, 'refused'), probed(b, { step: 'banner', reason: 'banner_5xx' })],
    word: 'destination_down',
    says: 'the 1 other destination answers, so the remote service',
  },
  {
    when: 'two names are misspelt, which a name server has answered',
    rows: [row('one.example:25'), row('two.example:25', { connector: 'To Partner' })],
    entries: ['one.example:25', 'two.example:25'].map((name) =>
      probed(name, { step: 'dns', reason: 'name_not_found' }),
    ),
    word: 'name_resolution',
    says: 'name does not exist',
  },
  {
    when: 'no name server answers for any name',
    rows: [row('one.example:25'), row('two.example:25')],
    entries: ['one.example:25', 'two.example:25'].map((name) => probed(name, { step: 'dns', reason: 'name_timeout' })),
    word: 'server_egress',
    says: 'name server did not answer since 08:13 UTC; both destinations fail',
  },
  {
    when: 'both addresses belong to one host',
    entries: [down('relay.contoso.example:25'), down('relay.contoso.example:587')],
    rows: [row('relay.contoso.example:25')],
    word: 'destination_down',
    says: 'the 1 other destination fails too',
  },
  {
    when: 'nobody probes, and the logs of the server tell of Winsock errors with both hosts that it tried',
    rows: [row(a), row(b)],
    entries: [],
    notProbed: 'probing is switched off',
    recent: [
      { destination: a, reason: 'timeout', ago: 4 },
      { destination: b, reason: 'network_unreachable', ago: 9 },
    ],
    word: 'server_egress',
    says: 'both destinations that exch01 tried recently fail to connect, so look at this side first',
  },
  {
    when: 'nobody probes, and one of three hosts got a connection a while before it failed',
    rows: [row(a), row(b), row(c)],
    entries: [],
    notProbed: 'probing is switched off',
    recent: [
      { destination: a, reason: 'timeout', ago: 4 },
      { destination: b, reason: 'timeout', ago: 4 },
      { destination: c, reason: 'starttls_not_offered', ago: 12 },
    ],
    word: 'not_probed',
    says: hadOne,
  },
  {
    when: 'nobody probes, and an attempt came through between two failures of others',
    rows: [
      row(a),
      row(b),
      row(c, { lastErrorAt: undefined, lastObservedAt: undefined, lastAttemptAt: now - 10 * minute }),
    ],
    entries: [],
    notProbed: 'probing is switched off',
    recent: [
      { destination: a, reason: 'timeout', ago: 4 },
      { destination: b, reason: 'timeout', ago: 4 },
    ],
    word: 'not_probed',
    says: hadOne,
  },
  {
    when: 'one server alone has errors, but reaches a host that refuses it',
    rows: [a, b, c].flatMap((each) => [row(each), row(each, { server: 'exch02', ago: 600 })]),
    entries: [probed(a, { since: 60 }), ...good],
    recent: [{ destination: b, reason: 'banner_4xx', ago: 4 }],
    word: 'intermittent',
    says: 'errors continue on exch01',
  },
  {
    when: 'a smart host has lost its name',
    rows: [row('relay.contoso.example:25')],
    entries: [probed('relay.contoso.example:25', { step: 'dns', reason: 'name_not_found' }), ...good],
    word: 'name_resolution',
    says: 'relay.contoso.example:25 from exch01: name does not exist since 08:13 UTC; The name is misspelt',
  },
  {
    when: 'the name server is silent',
    rows: [row('relay.contoso.example:25')],
    entries: [probed('relay.contoso.example:25', { step: 'dns', reason: 'name_timeout' }), ...good],
    word: 'name_resolution',
    says: 'name server did not answer since 08:13 UTC',
  },
  {
    when: 'the log tells of a domain without a name, which nobody probes',
    rows: [row('contoso.example', { errors: 0, failures: { name_not_found: 3 } })],
    entries: good,
    notProbed: 'not an address and a port',
    word: 'name_resolution',
    says: 'Outbound to Internet had errors, the last at 08:14 UTC, with contoso.example from exch01: name does not exist. ',
  },
  {
    when: 'the banner refuses us',
    entries: [probed(a, { step: 'banner', reason: 'banner_5xx', detail: '554 5.7.1 blocked' }), ...good],
    word: 'smtp_refuses',
    says: 'Outbound to Internet connects to 203.0.113.25:25, but fails at SMTP banner: refused in the SMTP banner ("554 5.7.1 blocked") since 08:13 UTC. The server does not accept mail',
  },
  {
    when: 'EHLO is rejected',
    entries: [probed(a, { step: 'ehlo', reason: 'ehlo_rejected' })],
    word: 'smtp_refuses',
    says: 'but fails at EHLO: EHLO rejected since',
  },
  {
    when: 'the server hangs up after the connect, as everywhere else',
    entries: [
      probed(a, { step: 'banner', reason: 'closed_by_remote' }),
      probed(b, { step: 'banner', reason: 'closed_by_remote' }),
    ],
    word: 'smtp_refuses',
    says: 'closed by the remote side',
  },
  {
    when: 'STARTTLS is gone',
    entries: [probed(a, { step: 'starttls', reason: 'starttls_not_offered' }), ...good],
    word: 'tls',
    says: 'but fails at STARTTLS: STARTTLS not offered since 08:13 UTC. The server never had it',
  },
  {
    when: 'the certificate has run out',
    entries: [probed(a, { step: 'tls', reason: 'certificate_expired' }), ...good],
    word: 'tls',
    says: 'certificate expired since 08:13 UTC',
  },
  {
    when: 'errors go on and the probe passes',
    entries: [probed(a, { since: 60 }), ...good],
    word: 'intermittent',
    says: `${passes}: errors continue on exch01 (last error at 08:14 UTC) although the probe has passed since 07:18 UTC`,
  },
  {
    when: 'the probe passes since after the last error',
    rows: [row(a, { ago: 10 })],
    entries: [probed(a, { since: 5 }), ...good],
    word: 'recovered',
    says: `${passes} works again since 08:13 UTC: the probe passes and no error came after it (last error at 08:08 UTC).`,
  },
  {
    when: 'the probe always passed and no error came for longer than Exchange waits',
    rows: [row(a, { ago: 30 })],
    entries: [probed(a, { since: 300 }), ...good],
    word: 'recovered',
    says: 'works again since 07:48 UTC',
  },
  {
    when: 'the first probe is pending',
    entries: good,
    word: 'not_probed',
    says: `${hadOne}. Not probed yet: its first probe is pending.`,
  },
  {
    when: 'policy forbids the probe',
    entries: [probed(a, { step: 'tcp', reason: 'blocked_by_policy' })],
    notProbed: 'denied by probe.deny (203.0.113.0/24)',
    word: 'not_probed',
    says: 'Not probed: denied by probe.deny (203.0.113.0/24).',
  },
  {
    when: 'probing was switched off, whatever it said before',
    entries: [down(a)],
    notProbed: 'Not probed: probing is switched off.',
    word: 'not_probed',
    says: '. Not probed: probing is switched off.',
  },
  {
    when: 'the log gives the reason of what nobody probes',
    rows: [row(a, { failures: { timeout: 2, refused: 1 } })],
    entries: [],
    notProbed: 'probing is switched off',
    word: 'not_probed',
    says: 'Outbound to Internet had errors, the last at 08:14 UTC, with 203.0.113.25:25 from exch01: no answer in time, connection refused. Not probed: probing is switched off.',
  },
  {
    when: 'destinations beyond the limit are counted as one',
    rows: [row('other')],
    entries: good,
    word: 'not_probed',
    says: 'had one error at 08:14 UTC with some destinations from exch01. Not probed: these are all destinations beyond',
  },
  {
    when: 'the record names no connector',
    rows: [row(a, { connector: 'unknown' })],
    entries: [down(a), ...good],
    word: 'destination_down',
    says: 'An unnamed Send connector cannot reach 203.0.113.25:25',
  },
];

describe('diagnosis', () => {
  test.each(situations)('$when: $word', ({ rows = [row(a)], entries, notProbed, recent = [], word, says }) => {
    const isForbidden = (destination: string) => (destination === rows[0]?.destination ? notProbed : undefined);
    const told = recent.map(({ destination, reason, ago }): RecentError => {
      const at = now - ago * minute;
      return { server: 'exch01', connector: 'Outbound to Internet', destination, reason, at, until: at, count: 1 };
    });
    const [first] = listOf(rows, entries, { now, notProbed: isForbidden, recent: told });
    expect(first?.sentence).toContain(says);
    expect(first?.word).toBe(word);
  });

  test('the table has every word of the closed list', () => {
    expect([...new Set(situations.map(({ word }) => word))].sort()).toEqual([...diagnoses].sort());
    expect(situations.length).toBeGreaterThanOrEqual(25);
  });

  test('only pairs with an error within the last hour have one', () => {
    const rows = [
      row(a, { ago: 59 }),
      row(b, { ago: 60 }),
      row(c, { lastErrorAt: undefined, lastObservedAt: undefined }),
    ];
    expect(
      listOf(rows, [], { now, notProbed: () => undefined, recent: [] }).map(({ destination }) => destination),
    ).toEqual([a]);
  });

  test('since when it is so, where that is known', () => {
    const since = (entry: Probed) =>
      listOf([row(a)], [entry], { now, notProbed: () => undefined, recent: [] })[0]?.since;
    expect(since(down(a))).toBe(now - 5 * minute);
    expect(since(probed(a, { since: 60 }))).toBeUndefined();
  });
});

const names = [a, b, c, v6, 'relay.contoso.example:25', 'contoso.example', 'other', ''];
const anyRow = fc.record({
  server: fc.constantFrom('exch01', 'exch02'),
  connector: fc.constantFrom('Outbound', 'To Partner', 'unknown'),
  destination: fc.constantFrom(...names),
  ago: fc.integer({ min: -10, max: 90 }),
  failures: fc.dictionary(fc.constantFrom(...reasons), fc.nat(9)),
});
const anyProbe = fc.record({
  destination: fc.constantFrom(...names),
  step: fc.option(fc.constantFrom(...stepNames), { nil: undefined }),
  reason: fc.constantFrom(...reasons),
  since: fc.integer({ min: 0, max: 3000 }),
  received: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
});

test('whatever is known: a sentence for every pair, and a destination is never down while its last probe passed', () => {
  fc.assert(
    fc.property(fc.array(anyRow), fc.array(anyProbe), fc.boolean(), (rows, probes, isOff) => {
      const ledger = rows.map(({ destination, ...rest }) => row(destination, rest));
      const entries = probes.map(({ destination, received, ...draft }) =>
        probed(destination, { ...draft, ...(received !== undefined && { ping: echoes(received) }) }),
      );
      const board = new Map(entries.map((entry) => [entry.destination, entry]));
      const notProbed = (): string | undefined => (isOff ? 'off' : undefined);
      const found = listOf(ledger, [...board.values()], { now, notProbed, recent: [] });
      expect(found.length).toBe(rows.filter(({ ago }) => ago < 60).length);
      for (const { destination, word, sentence } of found) {
        expect(diagnoses).toContain(word);
        expect(sentence).toMatch(/[.!?]$/);
        const passed = board.get(destination)?.latest.success === true;
        if (word === 'destination_down') expect(passed).toBe(false);
        if (word === 'recovered' || word === 'intermittent')
          expect({ passed, isOff }).toEqual({ passed: true, isOff: false });
      }
    }),
    { numRuns: 500 },
  );
});

test('of more pairs than may be told of, those with the latest errors are', () => {
  const rows = [1, 4, 2, 3, 50].map((ago) => row(`10.0.0.${ago}:25`, { ago }));
  const told = listOf(rows, [], { now, notProbed: () => undefined, recent: [], most: 3 });
  expect(told.map(({ destination }) => destination)).toEqual(['10.0.0.1:25', '10.0.0.2:25', '10.0.0.3:25']);
  const alike = [2, 4, 2, 1, 2].map((ago, n) => row(`10.0.1.${n}:25`, { ago }));
  const first = listOf(alike, [], { now, notProbed: () => undefined, recent: [], most: 3 });
  expect(first.map(({ destination }) => destination)).toEqual(['10.0.1.0:25', '10.0.1.2:25', '10.0.1.3:25']);
});
