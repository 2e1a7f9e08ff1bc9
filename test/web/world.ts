/** Literal books for the tests of the pages: a small mail world with every state, and generated large ones. */
import { finish } from '../../src/runtime/breath.js';
import type { LedgerRow } from '../../src/model/batch.js';
import type { Reason, StepName } from '../../src/model/words.js';
import type { RecentError, RelatedEvent } from '../../src/model/evidence.js';
import type { SourceStatus } from '../../src/model/status.js';
import type { ProbeResult, StepResult } from '../../src/model/probes.js';
import { stepNames } from '../../src/model/words.js';
import { linksOf } from '../../src/web/parts/links.js';
import type { PageContext } from '../../src/web/pages/page.js';
import { runbooksOf } from '../../src/web/pages/runbooks.js';
import { rowsOf } from '../../src/web/view.js';
import type { BoardEntry } from '../../src/board/board.js';
import type { Books } from '../../src/web/books.js';
import { booksOf as booksIn, type WorldDraft } from '../support/books.js';

/** 2026-11-23 08:18:30 UTC. */
export const now = Date.UTC(2026, 10, 23, 8, 18, 30);
export const minute = 60_000;

export const evil = '<img src=x onerror=alert(1)>';
export const emoji = '📮'.repeat(64);

export function ledgerRow(row: Partial<LedgerRow> & { connector: string; destination: string }): LedgerRow {
  const lastErrorAt = 'lastErrorAt' in row ? row.lastErrorAt : now - 4 * minute;
  const counts = { errors: 1, attempts: 0, failures: {} };
  const times = { lastErrorAt, lastObservedAt: lastErrorAt, lastAttemptAt: undefined };
  return { server: 'exch01.contoso.example', ...counts, ...times, ...row, lastErrorAt };
}

type VisitDraft = {
  at?: number;
  fails?: { step: StepName; reason: Reason; detail?: string };
  warning?: { step: StepName; reason: Reason };
};

export function visit(destination: string, draft: VisitDraft = {}): ProbeResult {
  const at = draft.at ?? now - 21_000;
  const host = destination.replace(/:\d+$/, '');
  const last = draft.fails ? stepNames.indexOf(draft.fails.step) : stepNames.length - 1;
  const steps = stepNames.slice(1, last + 1).map((step, index): StepResult => {
    const fails = draft.fails?.step === step || draft.warning?.step === step;
    const failure = draft.fails ?? draft.warning;
    const detail = draft.fails?.detail;
    return fails && failure
      ? { step, seconds: 0.002, outcome: 'failed', reason: failure.reason, ...(detail === undefined ? {} : { detail }) }
      : { step, seconds: 0.004 * (index + 1), outcome: 'passed' };
  });
  return {
    id: `${destination}@${at}`,
    destination,
    host,
    origin: 'observed',
    at,
    seconds: 0.084,
    success: draft.fails === undefined,
    failedStep: draft.fails?.step,
    reason: draft.fails?.reason,
    steps,
    facts: draft.fails
      ? { address: host }
      : {
          address: host,
          tlsVersion: 'TLSv1.3',
          tlsCipher: 'TLS_AES_256_GCM_SHA384',
          certificateExpiresAt: now + 41 * 86_400_000,
        },
    transcript: [
      { ms: 0, direction: '*', text: `connecting to ${destination}` },
      ...(draft.fails?.step === 'tcp'
        ? [{ ms: 2, direction: '*' as const, text: 'connect ECONNREFUSED' }]
        : [
            { ms: 4, direction: '<' as const, text: '220 mx1.fabrikam.example ESMTP' },
            { ms: 5, direction: '>' as const, text: 'EHLO mail.contoso.example' },
            { ms: 9, direction: '<' as const, text: '250-mx1.fabrikam.example' },
            { ms: 9, direction: '<' as const, text: '250 STARTTLS' },
          ]),
    ],
    ...(draft.warning ? { warning: draft.warning } : {}),
  };
}

type EntryDraft = VisitDraft & { failing?: number; origin?: ProbeResult['origin'] };

/** An entry with its history: `failing` failed visits after some good ones, or only good ones. */
export function entry(destination: string, draft: EntryDraft = {}): BoardEntry & { history: readonly ProbeResult[] } {
  const failing = draft.fails ? (draft.failing ?? 8) : 0;
  const origin = draft.origin ?? 'observed';
  const history = Array.from({ length: Math.max(failing, 3) + (failing === 12 ? 0 : 3) }, (_, age): ProbeResult => {
    const at = now - 21_000 - age * 30_000;
    const { fails, ...passes } = draft;
    return { ...visit(destination, age < failing && fails ? { fails, at } : { ...passes, at }), origin };
  });
  const failed = history.filter((one) => !one.success);
  const lastGood = history.find((one) => one.success);
  return {
    destination,
    latest: history[0]!,
    lastGood,
    lastFailed: failed[0],
    lastSuccessAt: lastGood?.at,
    failingSince: failed.at(-1)?.at,
    probes: 1_240,
    failures: [],
    durations: [],
    ping: undefined,
    path: undefined,
    failedInARow: failing,
    passingSince: failing > 0 ? undefined : now - 180 * minute,
    outcomes: history
      .map(({ at, success, reason, steps }) => ({
        ...{ at, success, reason },
        seconds: stepNames.map((name) => steps.find(({ step }) => step === name)?.seconds ?? 0),
        failed: steps.filter(({ outcome }) => outcome === 'failed').map(({ step }) => step),
      }))
      .reverse(),
    history,
  };
}

const files: SourceStatus = {
  source: '/var/log/winlogbeat/*.ndjson',
  up: true,
  detail: 'Follows 2 files.',
  lastRecordAt: now - 4 * minute,
  lagBytes: 0,
  lagSeconds: 0,
  stalledSeconds: 0,
  bytesRead: 12_345,
};

export type { WorldDraft };

/** @param world one, or where it is looked up at each reading */
export function booksOf(world: WorldDraft | (() => WorldDraft)): Books {
  const draft = typeof world === 'function' ? world : () => world;
  return booksIn(() => ({ sources: [files], ...draft() }), now);
}

/** Every state once; the two failing destinations erred last. */
export const mailWorld: WorldDraft = {
  rows: [
    ledgerRow({
      connector: 'Outbound to Internet',
      destination: '203.0.113.25:25',
      errors: 14,
      lastErrorAt: now - 4 * minute,
    }),
    ledgerRow({
      connector: 'Outbound to Internet',
      destination: '198.51.100.7:25',
      errors: 3,
      lastErrorAt: now - 26 * 60 * minute,
    }),
    ledgerRow({
      connector: 'To Partner Fabrikam',
      destination: '[2001:db8::25]:25',
      errors: 6,
      lastErrorAt: now - 9 * minute,
      server: 'exch02.contoso.example',
    }),
    ledgerRow({
      connector: 'To Partner Fabrikam',
      destination: '198.51.100.40:587',
      errors: 2,
      lastErrorAt: now - 12 * minute,
      server: 'exch02.contoso.example',
    }),
    ledgerRow({
      connector: 'Scan & Fax "Relay" / Paris',
      destination: '192.0.2.61:25',
      errors: 1,
      lastErrorAt: now - 41 * minute,
    }),
    ledgerRow({ connector: evil, destination: '192.0.2.99:25', errors: 1, lastErrorAt: now - 3 * 60 * minute }),
    ledgerRow({
      connector: emoji,
      destination: '192.0.2.100:25',
      errors: 12_041,
      lastErrorAt: now - 9 * 24 * 60 * minute,
    }),
    ledgerRow({ connector: 'To Archive', destination: '192.0.2.70:25', errors: 0, lastErrorAt: undefined }),
  ],
  entries: [
    entry('203.0.113.25:25', {
      fails: { step: 'tcp', reason: 'refused', detail: 'connect ECONNREFUSED 203.0.113.25:25' },
    }),
    entry('198.51.100.7:25'),
    entry('[2001:db8::25]:25', {
      fails: { step: 'tls', reason: 'certificate_expired', detail: 'valid until 2026-11-20 23:59:59 UTC' },
      failing: 12,
    }),
    entry('198.51.100.40:587'),
    entry('192.0.2.99:25', { warning: { step: 'starttls', reason: 'starttls_not_offered' } }),
    entry('192.0.2.100:25'),
    entry('relay.contoso.example:587', { origin: 'configured' }),
  ],
  notProbed: { '192.0.2.61:25': 'Not probed: 192.0.2.61 is denied by probe.deny (192.0.2.0/26).' },
};

/** Errors of the last day and related events around those of the mail world, and how available one destination was. */
export const happenings: Pick<WorldDraft, 'related' | 'recent' | 'availability' | 'errorHours'> = {
  errorHours: {
    'Outbound to Internet': [
      { reason: undefined, counts: hourly((hour) => (hour > 160 ? 2 : hour % 40 === 3 ? 9 : 0)) },
      { reason: 'refused', counts: hourly((hour) => (hour > 162 ? 2 : 0)) },
      { reason: 'timeout', counts: hourly((hour) => (hour % 40 === 3 ? 9 : 0)) },
    ],
  },
  availability: {
    '203.0.113.25:25': {
      day: { passed: 2_801, all: 2_880 },
      week: { passed: 20_081, all: 20_160 },
      month: { passed: 86_399, all: 86_400 },
      outages: [{ from: now - 231_000 }, { from: now - 26 * 60 * minute, until: now - 25 * 60 * minute }],
    },
  },
  recent: [
    recentError('Outbound to Internet', '203.0.113.25:25', 4, 3),
    recentError('Outbound to Internet', '203.0.113.25:25', 5, 1, { reason: 'refused' }),
    ...[14, 26, 41, 75, 130, 300, 610].map((ago) => recentError('Outbound to Internet', '203.0.113.25:25', ago, 1)),
    recentError('To Partner Fabrikam', '[2001:db8::25]:25', 9, 6, { server: 'exch02.contoso.example' }),
    recentError(evil, '192.0.2.99:25', 180, 1),
  ],
  related: [
    related(2000, 'MSExchangeTransport', 6, 'InfoDomainNonexistent reported by 192.0.2.53.'),
    related(1014, 'Microsoft-Windows-DNS-Client', 7, 'mail.fabrikam.example'),
    related(15005, 'MSExchangeTransport', 2, 'High, Normal'),
    { ...related(36874, 'Schannel', 8, 'TLS 1.2'), server: 'exch02.contoso.example' },
    related(4231, 'Tcpip', 900, evil),
  ],
};

function hourly(countOf: (hour: number) => number): number[] {
  return Array.from({ length: 168 }, (_, hour) => countOf(hour));
}

function recentError(
  connector: string,
  destination: string,
  minutes: number,
  count: number,
  changes: Partial<RecentError> = {},
): RecentError {
  const at = now - minutes * minute;
  return { server: 'exch01.contoso.example', connector, destination, at, until: at, count, ...changes };
}

function related(eventId: number, provider: string, minutes: number, text: string): RelatedEvent {
  const at = now - minutes * minute;
  const server = 'exch01.contoso.example';
  const key = { server, channel: 'application', recordId: eventId, time: at };
  return { kind: 'related_event', key, server, provider, eventId, at, text };
}

/** One connector for every ten destinations, a third of them failing. */
export function largeWorld(count: number): WorldDraft {
  const names = Array.from(
    { length: count },
    (_, index) => `10.${Math.floor(index / 65_536)}.${Math.floor(index / 256) % 256}.${index % 256}:25`,
  );
  return {
    rows: names.map((destination, index) =>
      ledgerRow({
        connector: `Outbound ${Math.floor(index / 10)}`,
        destination,
        errors: index,
        lastErrorAt: now - index * 7_000,
      }),
    ),
    entries: names.map((destination, index) =>
      entry(destination, index % 3 === 0 ? { fails: { step: 'tcp', reason: 'timeout' } } : {}),
    ),
  };
}

export const runbookTexts = new Map([
  [
    'DestinationDown',
    [
      '# DestinationDown',
      '',
      'A Send connector cannot reach a destination, and the probe confirms it. Mail waits.',
      '',
      '## Meaning',
      '',
      'Event 2002 was logged and the probe fails. The reason decides: see [refused](reasons.md#refused).',
      '',
      '## Impact',
      '',
      'Mail for this destination waits in a queue. Users hear of it after 4 hours; after 2 days mail is returned.',
      '',
      '## Diagnosis',
      '',
      '1. Ask Exchange on `<server>`:',
      '',
      '```powershell',
      'Get-SendConnector "<connector>" | Format-List Name,SmartHosts,Port',
      'Test-NetConnection <host> -Port <port> -InformationLevel Detailed',
      '```',
      '',
      '| Answer | Read as | Next |',
      '| --- | --- | --- |',
      '| `TcpTestSucceeded : True` | the path is fine now | look at SMTP and TLS |',
      '| False, ping answers | the port is filtered | your firewall, then theirs |',
      '',
      '## Mitigation',
      '',
      'Repair the path, then `Retry-Queue`. More at [Microsoft](https://learn.microsoft.com/exchange/), [nothing](javascript:alert(1)), [elsewhere](../../README.md).',
      '',
      '<script>alert(1)</script>',
      '',
    ].join('\n'),
  ],
  [
    'SendConnectorError',
    '# A single connection error\n\nOne event 2002 was read.\n\n## Meaning\n\nOne error.\n\n## Impact\n\nOften none.\n',
  ],
  [
    'ErrorsDespiteHealthyProbes',
    '# ErrorsDespiteHealthyProbes\n\nExchange fails where the probe passes.\n\n## Meaning\n\nSomething differs.\n',
  ],
  [
    'reasons',
    '# Reasons\n\nWhat each reason means.\n\n## refused\n\nThe host answers `<host>`, nothing listens.\n\n## `timeout`: no answer\n\nPackets vanish.\n\n## certificate_expired\n\nRenew it.\n',
  ],
]);

/** A page context over these books, as the server would make it. */
export function pageOf(draft: WorldDraft, externalUrl?: string): PageContext {
  return {
    ...booksOf(draft),
    links: linksOf(externalUrl),
    runbooks: runbooksOf(runbookTexts),
    rows: finish(rowsOf(booksOf(draft), now)),
    version: '0.0.0-test',
    telemetryPath: '/metrics',
    now,
  };
}
