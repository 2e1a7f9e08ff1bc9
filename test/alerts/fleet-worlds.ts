/** The same rule test told by a fleet: a pair of exporters of which one was restarted, lags or is gone, and shards of a topic. */
import { labelsIn, samplesOf, secondsOf, withLabels, type Labels, type RuleTest } from './rule-tests.js';

/** Samples one by one, `_` for none. */
type Series = { readonly name: string; readonly labels: Labels; readonly values: readonly string[] };

type FleetWorld = {
  readonly name: string;
  readonly shards: 1 | 2;
  /** What the exporters of one shard tell, from what one tells alone. The first and only one probes unless it says otherwise. */
  readonly exporters: readonly ((told: readonly Series[], step: number) => readonly Series[])[];
};

const [errors, attempts, failures, observed, logged] = [
  'exchange_send_connector_connection_errors_total',
  'exchange_send_connector_connection_attempts_total',
  'exchange_send_connector_connection_failures_total',
  'exchange_send_connector_last_error_observed_timestamp_seconds',
  'exchange_send_connector_last_error_timestamp_seconds',
];
const related = 'exchange_send_connector_related_events_total';
const counters = [errors, attempts, failures, related];
const ofLedger = [...counters, observed, logged];
const hour = 3600;

const same = (told: readonly Series[]): readonly Series[] => told;

/** A replica that does not probe: its ledger, and the diagnosis of one that knows no visit. */
function ledgerOnly(told: readonly Series[]): readonly Series[] {
  const notProbed = new Map<string, Series>();
  for (const { name, labels, values } of told) {
    if (name !== 'exchange_send_connector_diagnosis') continue;
    const known = notProbed.get(pairOf(labels))?.values ?? [];
    const merged = values.map((value, at) => (value === '1' || known[at] === '1' ? '1' : value));
    notProbed.set(pairOf(labels), { name, labels: { ...labels, diagnosis: 'not_probed' }, values: merged });
  }
  return [...told.filter(({ name }) => ofLedger.includes(name) || name === 'up'), ...notProbed.values()];
}

/** Reads everything an hour late: what it reads then is news to it. */
function lagging(told: readonly Series[], step: number): readonly Series[] {
  const late = hour / step;
  return ledgerOnly(told).map((series) => {
    if (!ofLedger.includes(series.name)) return series;
    const [first = '_'] = series.values;
    const isNews = series.name === observed || series.name === logged ? Number(first) >= 0 : false;
    const before = Array<string>(late).fill(isNews ? '_' : first);
    const values = series.name === observed ? series.values.map((value) => readAt(value, hour)) : series.values;
    return { ...series, values: [...before, ...values] };
  });
}

/** History keeps its own time. */
function readAt(value: string, later: number): string {
  return Number(value) >= 0 ? String(Number(value) + later) : value;
}

const away = { from: 7, until: 14 };

/** Is not there for some minutes, and reads then what was logged meanwhile. */
function restarted(told: readonly Series[], step: number): readonly Series[] {
  const back = away.until * step;
  return ledgerOnly(told).map(({ name, labels, values }) => ({
    name,
    labels,
    values: values.map((value, at) => {
      if (at >= away.from && at < away.until) return '_';
      const isMissed = name === observed && Number(value) > away.from * step && Number(value) < back;
      return isMissed ? String(back) : value;
    }),
  }));
}

/** The same with a volume that was lost: what it reads again is history, and counts from nothing. */
function emptied(told: readonly Series[], step: number): readonly Series[] {
  return restarted(told, step).map((series) => {
    if (!counters.includes(series.name)) return series;
    const base = series.values.slice(0, away.from).findLast((value) => value !== '_') ?? '0';
    const values = series.values.map((value, at) =>
      at < away.until || value === '_' ? value : String(Math.max(0, Number(value) - Number(base))),
    );
    return { ...series, values };
  });
}

const gone = (told: readonly Series[]): readonly Series[] =>
  told.map((series) => ({ ...series, values: [...series.values.slice(0, away.from), 'stale'] }));

/** Its clock is wrong by an hour: only what it says of the time of reading shows it. */
const clock = (later: number) => (told: readonly Series[]) =>
  ledgerOnly(told).map((series) =>
    series.name === observed
      ? { ...series, values: series.values.map((value) => (Number(value) > 0 ? String(Number(value) + later) : value)) }
      : series,
  );

export const fleetWorlds: readonly FleetWorld[] = [
  { name: 'one exporter', shards: 1, exporters: [same] },
  { name: 'a pair of which one probes', shards: 1, exporters: [same, ledgerOnly] },
  { name: 'a pair of which one was restarted', shards: 1, exporters: [same, restarted] },
  { name: 'a pair of which one lost its volume', shards: 1, exporters: [same, emptied] },
  { name: 'a pair of which one lags by an hour', shards: 1, exporters: [same, lagging] },
  { name: 'a pair of which one is gone', shards: 1, exporters: [same, gone] },
  { name: 'a pair of which the clock of one is an hour behind', shards: 1, exporters: [same, clock(-hour)] },
  { name: 'a pair of which the clock of one is an hour ahead', shards: 1, exporters: [same, clock(hour)] },
  { name: 'two shards', shards: 2, exporters: [same] },
  { name: 'two shards, a pair each, of which one lags by an hour', shards: 2, exporters: [same, lagging] },
];

/**
 * The test in all worlds at once: in each the series are those that its exporters tell, and what is expected is the same. A
 * label `cluster` tells the worlds apart, which is a tenth of the work of a test for each.
 */
export function inFleets(test: RuleTest): RuleTest[] {
  // promtool loads 10,000 samples for a query and no more, and this alert looks at every minute of an hour.
  const looksOften = test.alert_rule_test?.some(({ alertname }) => alertname === 'SendConnectorErrorsEverywhere');
  const atOnce = Math.max(1, Math.floor((looksOften ? 25 : 80) / test.input_series.length));
  const parts = Math.ceil(fleetWorlds.length / atOnce);
  return Array.from({ length: parts }, (_, part) =>
    inWorlds(test, fleetWorlds.slice(part * atOnce, (part + 1) * atOnce)),
  );
}

function inWorlds(test: RuleTest, worlds: readonly FleetWorld[]): RuleTest {
  return {
    ...test,
    input_series: worlds.flatMap((world) => seriesIn(world, test)),
    alert_rule_test: (test.alert_rule_test ?? []).map((each) => ({
      ...each,
      exp_alerts: each.exp_alerts.flatMap(({ exp_labels, exp_annotations }) =>
        worlds.map(({ name }) => ({ exp_labels: { ...exp_labels, cluster: name }, exp_annotations })),
      ),
    })),
  };
}

/** What the exporters of a world tell, from what one tells alone. */
export function seriesIn(
  { name, shards, exporters }: FleetWorld,
  test: Pick<RuleTest, 'interval' | 'input_series'>,
): RuleTest['input_series'] {
  const step = secondsOf(test.interval);
  const told = withLogged(
    test.input_series.map(({ series, values }) => ({
      name: series.slice(0, series.indexOf('{')),
      labels: labelsIn(series),
      values: samplesOf(values),
    })),
  );
  const parts = shards === 1 ? [told] : split(told);
  return parts.flatMap((part, shard) =>
    exporters.flatMap((exporter, replica) =>
      exporter(part, step).map((series) => {
        const labels = labelled(series.labels, shards === 1 ? undefined : shard, replica);
        return {
          series: withLabels(`${series.name}{`, { ...labels, cluster: name }),
          values: series.values.join(' '),
        };
      }),
    ),
  );
}

/** The first of a pair has no label `replica`: the pair must be one all the same. */
function labelled(labels: Labels, shard: number | undefined, replica: number): Labels {
  return {
    ...labels,
    instance: `${labels.instance}${shard === undefined ? '' : `-${shard}`}${replica === 0 ? '' : '-twin'}`,
    ...(shard !== undefined && { shard: String(shard) }),
    ...(replica > 0 && { replica: 'b' }),
  };
}

/** Every exporter tells when the newest error was logged; a test that does not care leaves it out. */
function withLogged(told: readonly Series[]): readonly Series[] {
  const keyed = new Set(told.filter(({ name }) => name === logged).map(({ labels }) => JSON.stringify(labels)));
  const missing = told.filter(({ name, labels }) => name === observed && !keyed.has(JSON.stringify(labels)));
  const added = missing.map(({ labels, values }) => ({
    name: logged,
    labels,
    values: values.map((value) => (Number(value) > 0 ? String(Number(value) - 5) : value)),
  }));
  return [...told, ...added];
}

/** Two shards of a topic: each error of a pair is read by the one or the other, in turn. Both probe. */
function split(told: readonly Series[]): readonly (readonly Series[])[] {
  const turns = turnsOf(told);
  return [0, 1].map((shard) =>
    told.map((series) => {
      const turn = turns.get(pairOf(series.labels)) ?? new Map<number, number>();
      if (counters.includes(series.name)) return { ...series, values: counted(series.values, turn, shard) };
      if (series.name === observed || series.name === logged)
        return { ...series, values: lastOf(series.values, turn, shard) };
      return series;
    }),
  );
}

function pairOf({ server, connector, destination, instance }: Labels): string {
  return JSON.stringify([server, connector, destination, instance]);
}

/** For each pair which shard reads the error that shows at a sample. */
function turnsOf(told: readonly Series[]): ReadonlyMap<string, ReadonlyMap<number, number>> {
  const events = new Map<string, Set<number>>();
  for (const { name, labels, values } of told) {
    if (name !== observed && name !== errors && name !== failures) continue;
    const places = events.get(pairOf(labels)) ?? new Set<number>();
    let before: string | undefined;
    for (const [at, value] of values.entries()) {
      if (Number.isNaN(Number(value))) continue;
      if (before === undefined ? name === observed : value !== before) places.add(at);
      before = value;
    }
    events.set(pairOf(labels), places);
  }
  return new Map(
    [...events].map(([pair, places]) => [
      pair,
      new Map([...places].sort((a, b) => a - b).map((at, turn) => [at, turn % 2])),
    ]),
  );
}

function counted(values: readonly string[], turns: ReadonlyMap<number, number>, shard: number): string[] {
  let [before, own, turn]: [number | undefined, number, number] = [undefined, 0, 0];
  return values.map((text, at) => {
    const value = Number(text);
    if (Number.isNaN(value)) return text;
    if (before === undefined || value < before) own = shard === 0 ? value : 0;
    else if (value > before && (turns.get(at) ?? turn++ % 2) === shard) own += value - before;
    before = value;
    return String(own);
  });
}

function lastOf(values: readonly string[], turns: ReadonlyMap<number, number>, shard: number): string[] {
  let own = '_';
  return values.map((value, at) => {
    if (Number.isNaN(Number(value))) return value;
    if (turns.get(at) === shard) own = value;
    return own;
  });
}
