/** Families with a series for each destination that is visited, from the board. */
import type { BoardEntry } from '../board/board.js';
import { durationBounds, type StepDurations } from '../board/durations.js';
import type { LedgerRow } from '../model/batch.js';
import { failureVerb, reasonWords, stepWords } from '../model/reason-words.js';
import { type Family, sample, secondsOf } from './exposition.js';
import { optionalSeconds, type Sample } from './families.js';

type BoardFamily = Family & { readonly lines: (entry: BoardEntry, name: string, host: string) => string };

/** A destination with the host name that is shown: its own, or the one that a transport log told of its address. */
type NamedEntry = { readonly entry: BoardEntry; readonly host: string };

export function named(entries: readonly BoardEntry[], rows: readonly LedgerRow[]): NamedEntry[] {
  const told = new Map<string, string>();
  for (const { destination, host } of rows) if (host !== undefined) told.set(destination, host);
  return entries.map((entry) => {
    const { host } = entry.latest;
    const isAddress = /^[\d.]+$|:/.test(host);
    return { entry, host: (isAddress ? told.get(entry.destination) : undefined) ?? host };
  });
}

/** A destination that policy forbids was not asked: it neither succeeded nor failed. */
function wasAsked(entry: BoardEntry): boolean {
  return entry.latest.reason !== 'blocked_by_policy';
}

export const boardFamilies: readonly BoardFamily[] = [
  ofDestinations(
    'info',
    'gauge',
    'Always 1; where the destination is known from, and its host name.',
    ({ latest }, host) => [[{ host, origin: latest.origin }, 1]],
  ),
  ofDestinations('probe_success', 'gauge', 'Whether the latest probe of the destination succeeded.', (entry) => [
    [{}, wasAsked(entry) ? Number(entry.latest.success) : undefined],
  ]),
  ofDestinations('probe_failing', 'gauge', 'Always 1; why the latest probe failed, while it fails.', (entry) => {
    const { failedStep: step, reason } = entry.latest;
    return step !== undefined && reason !== undefined && wasAsked(entry) ? [[{ step, reason }, 1]] : [];
  }),
  ofDestinations(
    'probe_failure_info',
    'gauge',
    'Always 1; why the latest probe failed, in words, while it fails.',
    (entry) => {
      const { failedStep: step, reason } = entry.latest;
      if (step === undefined || reason === undefined || !wasAsked(entry)) return [];
      const { what, suspect } = reasonWords[reason];
      return [[{ step, reason, verb: failureVerb(step, reason), at: stepWords[step], what, suspect }, 1]];
    },
  ),
  ofDestinations('probes_total', 'counter', 'Probes of the destination.', ({ probes }) => [[{}, probes]]),
  ofDestinations('probe_failures_total', 'counter', 'Failed steps of probes, by reason.', ({ failures }) =>
    failures.map(({ step, reason, count }): Sample => [{ step, reason }, count]),
  ),
  {
    name: 'exchange_destination_probe_step_duration_seconds',
    type: 'histogram',
    help: 'Duration of each probe step.',
    lines: ({ destination, durations }, name) =>
      durations.map((each) => histogramLines(name, destination, each)).join(''),
  },
  ofDestinations('probe_last_timestamp_seconds', 'gauge', 'When the latest probe began.', ({ latest }) => [
    [{}, secondsOf(latest.at)],
  ]),
  ofDestinations(
    'probe_last_success_timestamp_seconds',
    'gauge',
    'When the latest successful probe began.',
    (entry) => [[{}, optionalSeconds(entry.lastSuccessAt)]],
  ),
  ofDestinations(
    'certificate_expiry_timestamp_seconds',
    'gauge',
    'Earliest expiry in the verified certificate chain of the destination.',
    ({ latest }) => [[{}, optionalSeconds(latest.facts.certificateExpiresAt)]],
  ),
  ofDestinations('tls_info', 'gauge', 'Always 1; what the latest TLS handshake agreed on.', ({ latest }) => {
    const { tlsVersion: version, tlsCipher: cipher } = latest.facts;
    return version === undefined ? [] : [[{ version, cipher: cipher ?? '' }, 1]];
  }),
  ofDestinations('ping_loss_ratio', 'gauge', 'Share of echoes lost in the latest ping, 0 to 1.', ({ ping }) => [
    [{}, ping?.state === 'done' && ping.sent > 0 ? 1 - ping.received / ping.sent : undefined],
  ]),
  ofDestinations('ping_rtt_seconds', 'gauge', 'Average round trip of the latest ping.', ({ ping }) => [
    [{}, ping?.rttSeconds?.average],
  ]),
];

function ofDestinations(
  name: string,
  type: Family['type'],
  help: string,
  samples: (entry: BoardEntry, host: string) => readonly Sample[],
): BoardFamily {
  const lines = (entry: BoardEntry, fullName: string, host: string): string =>
    samples(entry, host)
      .map(([labels, value]) =>
        value === undefined ? '' : sample(fullName, { destination: entry.destination, ...labels }, value),
      )
      .join('');
  return { name: `exchange_destination_${name}`, type, help, lines };
}

function histogramLines(name: string, destination: string, { step, buckets, sum, count }: StepDurations): string {
  let below = 0;
  const lines = buckets.map((inBucket, index) => {
    below += inBucket;
    return sample(`${name}_bucket`, { destination, step, le: String(durationBounds[index] ?? '+Inf') }, below);
  });
  return (
    lines.join('') +
    sample(`${name}_sum`, { destination, step }, sum) +
    sample(`${name}_count`, { destination, step }, count)
  );
}

export function linesOfEntry({ entry, host }: NamedEntry): string[] {
  return boardFamilies.map((family) => family.lines(entry, family.name, host));
}

/** An entry changes with each result: these are new whenever anything in it is. */
export function factsOfEntry({ entry, host }: NamedEntry): unknown[] {
  return [entry, entry.latest, entry.ping, host];
}

/** Names that were resolved, and to what; a name with two ports is one smart host. */
export function smartHostsOf(
  entries: readonly BoardEntry[],
): (readonly [host: string, addresses: readonly string[]])[] {
  const hosts = new Map<string, readonly string[]>();
  for (const { latest } of entries) {
    const wasResolved = latest.steps[0]?.step === 'dns' && latest.reason !== 'blocked_by_policy';
    if (wasResolved) hosts.set(latest.host, latest.facts.addresses ?? []);
  }
  return [...hosts];
}
