/** A destination with as much to tell as the books can hold: the longest page there can be. */
import { reasons, type Reason } from '../../src/model/words.js';
import type { PathReport, PingReport } from '../../src/model/probes.js';
import type { RecentError, RelatedEvent } from '../../src/model/evidence.js';
import { entry, ledgerRow, minute, now, visit, type WorldDraft } from './world.js';

const destination = '203.0.113.25:25';
const server = 'exch01.contoso.example';
const connectors = Array.from({ length: 30 }, (_, index) => `Outbound ${index + 1} to Internet and all its partners`);
const causes: readonly Reason[] = ['refused', 'timeout', 'banner_4xx', 'tls_handshake', 'certificate_expired'];

/** Every two minutes an event and the failure that it tells of, for reasons in turn; a day of them. */
const recent = Array.from({ length: 700 }, (_, index): RecentError[] => {
  const at = now - (index + 1) * 2 * minute;
  const connector = connectors[index % connectors.length]!;
  const error = { server, connector, destination, at, until: at, count: 1 };
  const reason = causes[index % causes.length]!;
  return [error, { ...error, at: at + 1_000, until: at + 1_000, reason }];
}).flat();

const related = Array.from({ length: 200 }, (_, index): RelatedEvent => {
  const at = now - index * 7 * minute;
  const key = { server, channel: 'application', recordId: index, time: at };
  const text = `mail${index}.fabrikam.example did not answer; ${'a long explanation of it, '.repeat(6)}`;
  return { kind: 'related_event', key, server, provider: 'MSExchangeTransport', eventId: 2000, at, text };
});

const transcript = Array.from({ length: 80 }, (_, index) => ({
  ms: index * 3,
  direction: '<' as const,
  text: `250-EXTENSION${index} ${'with parameters '.repeat(8)}`,
}));

const ping: PingReport = {
  at: now - minute,
  program: 'ping',
  state: 'done',
  sent: 5,
  received: 3,
  rttSeconds: { min: 0.01, average: 0.02, max: 0.03 },
};
const path: PathReport = {
  at: now - minute,
  program: 'mtr',
  state: 'done',
  reached: false,
  hops: Array.from({ length: 30 }, (_, index) => ({
    hop: index + 1,
    address: `2001:db8:1234:5678:9abc:def0:1234:${index}`,
    rttSeconds: 0.012,
    lossRatio: 0.1,
  })),
};

function busyEntry(): NonNullable<WorldDraft['entries']>[number] {
  const fails = { step: 'tls', reason: 'certificate_expired', detail: 'valid until 2026-11-20 23:59:59 UTC' } as const;
  const made = entry(destination, { fails, failing: 12 });
  const longest = { ...visit(destination, { fails }), transcript };
  const lastGood = { ...visit(destination, { at: now - 180 * minute }), transcript };
  return { ...made, latest: longest, lastFailed: longest, lastGood, ping, path };
}

export const busyDestination = destination;
export const busyConnector = connectors[0]!;
export const busyWorld: WorldDraft = {
  rows: [
    ...connectors.map((connector, index) =>
      ledgerRow({
        connector,
        destination,
        errors: 40 + index,
        attempts: 90,
        failures: { refused: 20, timeout: 3 },
        lastErrorAt: now - (index + 1) * 2 * minute,
      }),
    ),
    ...Array.from({ length: 60 }, (_, index) =>
      ledgerRow({ connector: connectors[0]!, destination: `198.51.100.${index}:25`, errors: index }),
    ),
  ],
  entries: [busyEntry()],
  recent,
  related,
  errorHours: {
    [connectors[0]!]: [undefined, ...reasons].map((reason) => ({
      reason,
      counts: Array.from({ length: 168 }, (_, hour) => hour),
    })),
  },
  availability: {
    [destination]: {
      day: { passed: 2_801, all: 2_880 },
      week: { passed: 20_081, all: 20_160 },
      month: { passed: 86_399, all: 86_400 },
      outages: Array.from({ length: 5 }, (_, index) => ({
        from: now - (index + 1) * 600 * minute,
        until: now - (index + 1) * 500 * minute,
      })),
    },
  },
};
