/**
 * Every metric name of the product: what it means and where its value comes from. The only file that knows prom-client.
 *
 * Rows of the ledger and destinations of the board are many and change rarely, so their lines are kept. What the
 * exporter says of itself is little; what there is to say of the process is left to prom-client.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import { durationBounds, type Board, type BoardEntry, type StepDurations } from '../board/board.js';
import { createBreath } from '../runtime/breath.js';
import { familyHead, labelText, sample, secondsOf, textContentType, type Family } from './exposition.js';
import type { Ledger, Scrape } from '../ledger/ledger.js';
import type { DiagnosedPair } from '../diagnosis/diagnosis.js';
import { createTable, pageOf, type Page } from './page.js';
import { diagnosisWords, failureVerb, reasonWords, stepWords } from '../model/reason-words.js';
import { diagnoses, recordOutcomes, type LedgerRow, type SendConnector, type SourceStatus } from '../model/model.js';

/** A command and the host to type it on, a server or a phrase. */
export type AdvisedCommand = { readonly command: string; readonly where: string };

export type MetricsOptions = {
  readonly ledger: Pick<
    Ledger,
    'rows' | 'asks' | 'scrape' | 'relatedCounts' | 'tallies' | 'missed' | 'saving' | 'dormantErrors' | 'folded'
  >;
  readonly board: Pick<Board, 'entries'>;
  /** Pairs with an error within the last hour; of more than so many those with the latest errors. */
  readonly diagnoses: (most: number) => Iterable<DiagnosedPair>;
  /** The next command to type for such a pair, where there is one. */
  readonly nextCommand: (pair: DiagnosedPair) => AdvisedCommand | undefined;
  /** Probes that are due and wait for a free place. */
  readonly probeQueueLength: () => number;
  /** How the latest reload went; the time in milliseconds since 1970 UTC. */
  readonly reload: () => { readonly successful: boolean; readonly successAt: number };
  readonly sources: () => readonly SourceStatus[];
  readonly destinationsLimit: number;
  /** Of the inventory, and when it was written (milliseconds since 1970 UTC; undefined without one). */
  readonly connectors: () => readonly SendConnector[];
  readonly inventoryModifiedAt: () => number | undefined;
  /** Jumps of the clock since the start. */
  readonly clockJumps: () => { readonly back: number; readonly forward: number };
  readonly now: () => number;
  readonly version: string;
  /** False only in tests, to show what is lost when new series are not seen at zero first. */
  readonly holdsBirths?: boolean;
};

export type Metrics = {
  readonly contentType: string;
  /**
   * The page for the scraper that asks. Those who ask while it is put together share it; many at a time may share one
   * that is up to `maxAgeMs` old.
   */
  readonly render: (scraper: string, maxAgeMs?: number) => Promise<Answer>;
};

/** A page, and whom to tell when the scraper has all of it: new series wait at zero until then. */
export type Answer = { readonly page: Page; readonly wasRead: () => void };

type Newest = { readonly page: Page; readonly readBy: Scrape['readBy']; readonly begun: number };

/** A state set is as many series as there are words: in a flood of failing pairs the latest are the news. */
const mostDiagnosed = 2_000;

/** Gauges of prom-client with the ending of a counter, which Prometheus objects to; their sums are in nodejs_active_*. */
const misnamedMetrics = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  // The default of 10 ms wakes an exporter with nothing to do a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  for (const name of misnamedMetrics) registry.removeSingleMetric(name);
  const ledgerTable = createTable({ families: rowFamilies, linesOf: linesOfRow, dependsOn: (row: LedgerRow) => [row] });
  const diagnosisTable = createTable({
    families: [diagnosisFamily, adviceFamily],
    linesOf: ({ pair, next }: Advised) => linesOfDiagnosis(pair, next),
    dependsOn: ({ pair: { server, connector, destination, word }, next }: Advised) => [
      ...[server, connector, destination, word, next?.command, next?.where],
    ],
  });
  const boardTable = createTable({ families: boardFamilies, linesOf: linesOfEntry, dependsOn: factsOfEntry });
  const put = async (): Promise<Newest> => {
    const begun = performance.now();
    const breathe = createBreath();
    // The counts are looked at in one go; what explains them may be a moment younger.
    const { rows: shown, held, readBy } = options.ledger.scrape();
    await breathe();
    const rows = options.holdsBirths === false ? options.ledger.rows() : shown;
    const exporter = exporterText({ ...options, held, rows });
    const process = registry.metrics();
    await breathe();
    const diagnosed: Advised[] = [];
    for (const pair of options.diagnoses(mostDiagnosed)) {
      diagnosed.push({ pair, next: options.nextCommand(pair) });
      await breathe();
    }
    const tables = [
      await ledgerTable(rows),
      await diagnosisTable(diagnosed),
      await boardTable(named(options.board.entries(), rows)),
    ];
    return { page: pageOf([...tables.flat(), exporter, await process]), readBy, begun };
  };
  let underWay: Promise<Newest> | undefined;
  let newest: Newest | undefined;
  return {
    contentType: textContentType,
    render: async (scraper, maxAgeMs = 0) => {
      options.ledger.asks(scraper);
      if (newest === undefined || performance.now() - newest.begun >= maxAgeMs) {
        underWay ??= put().finally(() => (underWay = undefined));
        newest = await underWay;
      }
      const { page, readBy } = newest;
      return { page, wasRead: () => void readBy(scraper) };
    },
  };
}

type RowFamily = Family & { readonly lines: (row: LedgerRow, labels: string, name: string) => string };

const rowFamilies: readonly RowFamily[] = [
  {
    name: 'exchange_send_connector_connection_errors_total',
    type: 'counter',
    help: 'Events 2002: the Send connector could not connect to the destination.',
    lines: (row, labels, name) => line(name, labels, row.errors),
  },
  {
    name: 'exchange_send_connector_connection_attempts_total',
    type: 'counter',
    help: 'Attempts to connect, where a transport log tells of them.',
    lines: (row, labels, name) => line(name, labels, row.lastAttemptAt === undefined ? undefined : row.attempts),
  },
  {
    name: 'exchange_send_connector_connection_failures_total',
    type: 'counter',
    help: 'Connections that came to nothing, by reason; the transport logs tell of them.',
    lines: ({ server, connector, destination, failures }, _labels, name) =>
      Object.entries(failures)
        .map(([reason, count]) => sample(name, { server, connector, destination, reason }, count))
        .join(''),
  },
  {
    name: 'exchange_send_connector_last_error_timestamp_seconds',
    type: 'gauge',
    help: 'When the latest error or failure was logged.',
    lines: (row, labels, name) => line(name, labels, row.lastErrorAt && secondsOf(row.lastErrorAt)),
  },
  {
    name: 'exchange_send_connector_last_error_observed_timestamp_seconds',
    type: 'gauge',
    help: 'When the latest error or failure was read; alerts use this one, because records may arrive late.',
    lines: (row, labels, name) => line(name, labels, row.lastObservedAt && secondsOf(row.lastObservedAt)),
  },
];

function line(name: string, labels: string, value: number | undefined): string {
  return value === undefined ? '' : `${name}${labels} ${value}\n`;
}

/** A row is a value: it is replaced when it changes, so its lines never do. */
function linesOfRow(row: LedgerRow): string[] {
  const { server, connector, destination } = row;
  const labels = labelText({ server, connector, destination });
  return rowFamilies.map((family) => family.lines(row, labels, family.name));
}

const diagnosisFamily: Family = {
  name: 'exchange_send_connector_diagnosis',
  type: 'gauge',
  help: 'Which diagnosis holds (1) for a pair with an error within the last hour; the others are 0.',
};

const adviceFamily: Family = {
  name: 'exchange_send_connector_advice_info',
  type: 'gauge',
  help: 'Always 1; the diagnosis of such a pair in words for people, and the next command to type.',
};

type Advised = { readonly pair: DiagnosedPair; readonly next: AdvisedCommand | undefined };

function linesOfDiagnosis(
  { word, server, connector, destination }: DiagnosedPair,
  next: AdvisedCommand | undefined,
): string[] {
  const lines = diagnoses.map((diagnosis) =>
    sample(diagnosisFamily.name, { server, connector, destination, diagnosis }, Number(diagnosis === word)),
  );
  const says = diagnosisWords[word];
  const advice = {
    server,
    connector,
    destination,
    diagnosis: word,
    says,
    command: next?.command ?? '',
    where: next?.where ?? '',
  };
  return [lines.join(''), sample(adviceFamily.name, advice, 1)];
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number | undefined];
type BoardFamily = Family & { readonly lines: (entry: BoardEntry, name: string, host: string) => string };

/** A destination with the host name that is shown: its own, or the one that a transport log told of its address. */
type NamedEntry = { readonly entry: BoardEntry; readonly host: string };

function named(entries: readonly BoardEntry[], rows: readonly LedgerRow[]): NamedEntry[] {
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

const boardFamilies: readonly BoardFamily[] = [
  ofDestinations(
    'info',
    'gauge',
    'Always 1; who told us about the destination, and its host name.',
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
    'Always 1; why the latest probe failed, in words for people, while it fails.',
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
    help: 'How long the steps of probes took.',
    lines: ({ destination, durations }, name) =>
      durations.map((each) => histogramLines(name, destination, each)).join(''),
  },
  ofDestinations('probe_last_timestamp_seconds', 'gauge', 'When the latest probe began.', ({ latest }) => [
    [{}, secondsOf(latest.at)],
  ]),
  ofDestinations('probe_last_success_timestamp_seconds', 'gauge', 'When the latest good probe began.', (entry) => [
    [{}, optionalSeconds(entry.lastSuccessAt)],
  ]),
  ofDestinations(
    'certificate_expiry_timestamp_seconds',
    'gauge',
    'Earliest end of validity in the verified certificate chain of the destination.',
    ({ latest }) => [[{}, optionalSeconds(latest.facts.certificateExpiresAt)]],
  ),
  ofDestinations('tls_info', 'gauge', 'Always 1; what the latest TLS handshake agreed on.', ({ latest }) => {
    const { tlsVersion: version, tlsCipher: cipher } = latest.facts;
    return version === undefined ? [] : [[{ version, cipher: cipher ?? '' }, 1]];
  }),
  ofDestinations(
    'ping_loss_ratio',
    'gauge',
    'Echoes of the latest ping that did not come back, 0 to 1.',
    ({ ping }) => [[{}, ping?.state === 'done' && ping.sent > 0 ? 1 - ping.received / ping.sent : undefined]],
  ),
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

function linesOfEntry({ entry, host }: NamedEntry): string[] {
  return boardFamilies.map((family) => family.lines(entry, family.name, host));
}

/** An entry changes with each result: these are new whenever anything in it is. */
function factsOfEntry({ entry, host }: NamedEntry): unknown[] {
  return [entry, entry.latest, entry.ping, host];
}

type ExporterFacts = MetricsOptions & { readonly held: number; readonly rows: readonly LedgerRow[] };
type ExporterFamily = Family & { readonly samples: (facts: ExporterFacts) => readonly Sample[] };

const exporterFamilies: readonly ExporterFamily[] = [
  {
    name: 'exchange_exporter_build_info',
    type: 'gauge',
    help: 'Always 1; the labels say which build this is.',
    samples: ({ version }) => [[{ version, nodejs: process.version }, 1]],
  },
  ofSources('source_up', 'gauge', 'Whether the source can be read.', (status) => Number(status.up)),
  ofSources(
    'source_last_record_timestamp_seconds',
    'gauge',
    'When the latest record of the source was read.',
    ({ lastRecordAt }) => lastRecordAt && secondsOf(lastRecordAt),
  ),
  ofSources('source_lag_bytes', 'gauge', 'Bytes of the source that are not read yet.', (status) => status.lagBytes),
  ofSources(
    'source_lag_seconds',
    'gauge',
    'How long there have been bytes not read yet.',
    (status) => status.lagSeconds,
  ),
  ofSources(
    'source_stalled_seconds',
    'gauge',
    'How long reading has stood still at one place of the source, where it fails or does not end; 0 while it moves on.',
    (status) => status.stalledSeconds,
  ),
  ofSources('source_bytes_total', 'counter', 'Bytes read from the source.', (status) => status.bytesRead),
  ofSources(
    'source_restarts_total',
    'counter',
    'Times that the reader of a live Windows log ended by itself and was started again.',
    ({ subscription }) => subscription?.restarts,
  ),
  ofSources(
    'source_reopened_total',
    'counter',
    'Times that a live Windows log was subscribed to anew, after an error or a silence.',
    ({ subscription }) => subscription?.reopened,
  ),
  ofSources(
    'source_bookmarks_lost_total',
    'counter',
    'Times that the place in a live Windows log was gone, so that it was read again from its oldest record.',
    ({ subscription }) => subscription?.bookmarksLost,
  ),
  {
    name: 'exchange_exporter_source_records_total',
    type: 'counter',
    help: 'Records read, by what became of them.',
    samples: ({ sources, ledger }) =>
      sources().flatMap(({ source }) =>
        recordOutcomes.map((outcome): Sample => [
          { source, outcome },
          ledger.tallies().get(source)?.outcomes[outcome] ?? 0,
        ]),
      ),
  },
  {
    name: 'exchange_exporter_source_unreadable_records_total',
    type: 'counter',
    help: 'Records that could not be read, by reason.',
    samples: ({ ledger }) =>
      [...ledger.tallies()].flatMap(([source, { unreadable }]) =>
        Object.entries(unreadable).map(([reason, count]): Sample => [{ source, reason }, count]),
      ),
  },
  {
    name: 'exchange_exporter_source_records_missed_total',
    type: 'counter',
    help: 'Records of an unfiltered source that never came, by the gaps in their record IDs.',
    samples: ({ sources, ledger }) => sources().map(({ source }) => [{ source }, ledger.missed().get(source) ?? 0]),
  },
  {
    name: 'exchange_exporter_state_saves_total',
    type: 'counter',
    help: 'Attempts to save the ledger, by outcome.',
    samples: ({ ledger }) => [
      [{ outcome: 'saved' }, ledger.saving().saved],
      [{ outcome: 'failed' }, ledger.saving().failed],
    ],
  },
  {
    name: 'exchange_exporter_state_last_save_timestamp_seconds',
    type: 'gauge',
    help: 'When the ledger was last saved.',
    samples: ({ ledger }) => [[{}, optionalSeconds(ledger.saving().lastSavedAt)]],
  },
  {
    name: 'exchange_exporter_state_moved_aside',
    type: 'gauge',
    help: 'Whether the saved ledger could not be read at the start and was moved aside: counting began anew.',
    samples: ({ ledger }) => [[{}, Number(ledger.saving().movedAside !== undefined)]],
  },
  {
    name: 'exchange_exporter_clock_jumps_total',
    type: 'counter',
    help: 'Times that the clock of the machine was set back or forward, or the machine was suspended (forward).',
    samples: ({ clockJumps }) => Object.entries(clockJumps()).map(([direction, count]) => [{ direction }, count]),
  },
  {
    name: 'exchange_exporter_unnamed_errors_total',
    type: 'counter',
    help: 'Errors counted under the connector "unknown", because the record does not name its Send connector.',
    samples: ({ rows, ledger }) => [[{}, ledger.dormantErrors('unknown') + errorsOf(rows, 'unknown')]],
  },
  {
    name: 'exchange_exporter_series_held',
    type: 'gauge',
    help: 'Series shown at their value of before until every scraper has seen it.',
    samples: ({ held }) => [[{}, held]],
  },
  {
    name: 'exchange_exporter_destinations_folded_total',
    type: 'counter',
    help: 'Errors counted under the destination "other", because their connector has reached the limit.',
    samples: ({ ledger }) => [[{}, ledger.folded().errors]],
  },
  {
    name: 'exchange_exporter_destinations_limit',
    type: 'gauge',
    help: 'Destinations shown by name, of each Send connector.',
    samples: ({ destinationsLimit }) => [[{}, destinationsLimit]],
  },
  {
    name: 'exchange_send_connector_related_events_total',
    type: 'counter',
    help: 'Events that may explain an error: transport, DNS, TCP/IP, TLS, certificates, domain, back pressure.',
    samples: ({ ledger }) =>
      ledger
        .relatedCounts()
        .map(({ server, provider, eventId, count }) => [{ server, provider, event_id: String(eventId) }, count]),
  },
  {
    name: 'exchange_send_connector_info',
    type: 'gauge',
    help: 'Always 1; what the inventory says of each Send connector.',
    samples: ({ connectors }) => connectors().map((connector) => [infoOf(connector), 1]),
  },
  {
    name: 'exchange_exporter_inventory_age_seconds',
    type: 'gauge',
    help: 'How long ago the inventory was exported.',
    samples: ({ inventoryModifiedAt, now }) => {
      const at = inventoryModifiedAt();
      return [[{}, at === undefined ? undefined : Math.max(0, secondsOf(now() - at))]];
    },
  },
  {
    name: 'exchange_exporter_config_last_reload_successful',
    type: 'gauge',
    help: 'Whether the configuration and the web configuration are in force as they stand in their files.',
    samples: ({ reload }) => [[{}, Number(reload().successful)]],
  },
  {
    name: 'exchange_exporter_config_last_reload_success_timestamp_seconds',
    type: 'gauge',
    help: 'When the configuration was last taken into use.',
    samples: ({ reload }) => [[{}, secondsOf(reload().successAt)]],
  },
  {
    name: 'exchange_exporter_probe_queue_length',
    type: 'gauge',
    help: 'Probes that are due and wait for a free place.',
    samples: ({ probeQueueLength }) => [[{}, probeQueueLength()]],
  },
  {
    name: 'exchange_smart_host_resolved',
    type: 'gauge',
    help: 'Whether the name of the smart host could be resolved in the latest probe.',
    samples: ({ board }) =>
      smartHostsOf(board.entries()).map(([host, addresses]) => [{ host }, Number(addresses.length > 0)]),
  },
  {
    name: 'exchange_smart_host_addresses',
    type: 'gauge',
    help: 'Addresses that the name of the smart host led to in the latest probe.',
    samples: ({ board }) => smartHostsOf(board.entries()).map(([host, addresses]) => [{ host }, addresses.length]),
  },
];

/** Names that were resolved, and to what; a name with two ports is one smart host. */
function smartHostsOf(entries: readonly BoardEntry[]): (readonly [host: string, addresses: readonly string[]])[] {
  const hosts = new Map<string, readonly string[]>();
  for (const { latest } of entries) {
    const wasResolved = latest.steps[0]?.step === 'dns' && latest.reason !== 'blocked_by_policy';
    if (wasResolved) hosts.set(latest.host, latest.facts.addresses ?? []);
  }
  return [...hosts];
}

function infoOf({ name, enabled, dnsRouting, requireTls, protocolLogging }: SendConnector): Record<string, string> {
  const logging = protocolLogging === undefined ? 'unknown' : protocolLogging ? 'verbose' : 'none';
  return {
    connector: name,
    enabled: String(enabled),
    dns_routing: String(dnsRouting),
    require_tls: String(requireTls),
    protocol_logging: logging,
  };
}

function ofSources(
  name: string,
  type: Family['type'],
  help: string,
  value: (status: SourceStatus) => number | undefined,
): ExporterFamily {
  const samples = ({ sources }: MetricsOptions): Sample[] =>
    sources().map((status) => [{ source: status.source }, value(status)]);
  return { name: `exchange_exporter_${name}`, type, help, samples };
}

function exporterText(facts: ExporterFacts): string {
  return exporterFamilies.map((family) => familyText(family, family.samples(facts))).join('');
}

function familyText(family: Family, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => (value === undefined ? '' : sample(family.name, labels, value)));
  return familyHead(family) + lines.join('');
}

function optionalSeconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : secondsOf(milliseconds);
}

function errorsOf(rows: readonly LedgerRow[], connector: string): number {
  return rows.reduce((sum, row) => sum + (row.connector === connector ? row.errors : 0), 0);
}
