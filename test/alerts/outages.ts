/** A small simulator: what Exchange, an exporter and a scraper make of an outage, as series for promtool. */
import type { RuleTest } from './rule-tests.js';

/** When Exchange tries again, in seconds after the try before has failed. */
const retries = {
  /** Four tries a minute apart, six 5 minutes apart, then every 10 minutes. */
  mailbox: { first: [60, 60, 60, 60, 300, 300, 300, 300, 300, 300], then: 600 },
  /** Six tries a minute apart, then every half an hour. */
  edge: { first: [60, 60, 60, 60, 60, 60], then: 1800 },
  /** The same as Microsoft's page has it: the six tries in the middle are 10 minutes apart. */
  edgeOfThePage: { first: [60, 60, 60, 60, 600, 600, 600, 600, 600, 600], then: 1800 },
} as const;

export type Trouble =
  | 'none'
  | 'early gap'
  | 'late gap'
  | 'lost state'
  | 'pair'
  | 'pair, one restarted'
  | 'pair, one an hour late'
  | 'pair, one gone'
  | 'pair, one lost its state';

export type Outage = {
  readonly retries: keyof typeof retries;
  /** How long a try takes to fail. */
  readonly connectSeconds: number;
  readonly scrapeSeconds: number;
  readonly probing: 'off' | 'passes' | 'fails';
  readonly trouble: Trouble;
  /** Errors after which it heals; without it the outage lasts eight hours. */
  readonly errors?: number;
  /** Whether the pair erred before, a day ago. */
  readonly known: boolean;
};

export const beginsAt = 30 * 60;
/** The last error is at this time or before it, by the distance of two retries at most. */
export const endsAt = beginsAt + 8 * 3600;
/** The fault is mended this long after the last error. */
const mendedAfter = 8 * 60;
export const simulatedSeconds = endsAt + 2 * 3600;

const minute = 60;
/** All series are written at this pace; a slower scraper leaves places empty. */
const step = 15;
const visitEvery = 5 * minute;
/** An event is read a moment after it was logged. */
const readAfter = 2;
const gaps: Partial<Record<Trouble, readonly [from: number, to: number]>> = {
  'early gap': [beginsAt + 9 * minute, beginsAt + 29 * minute],
  'late gap': [3 * 3600 + 7 * minute, 3 * 3600 + 27 * minute],
};
const restartAt = 3 * 3600 + 10 * minute;
const lostAt = 3 * 3600 + 15 * minute;
const history = -100_000;

/** Times at which the server logs an error. */
export function errorsOf({ retries: kind, connectSeconds, errors = Infinity }: Outage): readonly number[] {
  const { first, then } = retries[kind];
  const times: number[] = [];
  for (let at = beginsAt + connectSeconds; at <= endsAt && times.length < errors;) {
    times.push(at);
    at += (first[times.length - 1] ?? then) + connectSeconds;
  }
  return times;
}

/** What one exporter shows at a time; undefined when it does not answer or does not know the pair. */
type Shown = { readonly count: number; readonly logged: number | undefined; readonly observed: number | undefined };
type Exporter = { readonly name: string; readonly probes: boolean; readonly shows: (at: number) => Shown | undefined };

/** The series of one outage, with a job of its own so that many can be simulated side by side. */
export function seriesOf(job: string, outage: Outage): RuleTest['input_series'] {
  return exportersOf(outage).flatMap(({ name, probes, shows }) => {
    const env = `job="${job}", instance="${name}"`;
    const pair = `${env}, server="s", connector="c", destination="d"`;
    const scraped = scrapesOf(outage);
    const rows = (of: (shown: Shown, at: number) => number | undefined): string =>
      written(scraped, (at) => {
        const shown = shows(at);
        return shown && of(shown, at);
      });
    const all = [
      { series: `up{${env}}`, values: written(scraped, (at) => (answers(outage, name, at) ? 1 : 0)) },
      { series: `exchange_send_connector_connection_errors_total{${pair}}`, values: rows(({ count }) => count) },
      { series: `exchange_send_connector_last_error_timestamp_seconds{${pair}}`, values: rows(({ logged }) => logged) },
      {
        series: `exchange_send_connector_last_error_observed_timestamp_seconds{${pair}}`,
        values: rows(({ observed }) => observed),
      },
    ];
    if (probes) {
      const probe = `exchange_destination_probe_success{${env}, destination="d"}`;
      all.push({ series: probe, values: rows((_shown, at) => visit(outage, at)) });
    }
    return all.filter(({ values }) => values !== '');
  });
}

function exportersOf(outage: Outage): readonly Exporter[] {
  const probes = outage.probing !== 'off';
  const whole: Exporter = { name: 'a', probes, shows: (at) => shownBy(outage, 'a', at) };
  return outage.trouble.startsWith('pair')
    ? [whole, { name: 'b', probes: false, shows: (at) => shownBy(outage, 'b', at) }]
    : [whole];
}

/** Whether the exporter runs at this time. */
function answers({ trouble }: Outage, name: string, at: number): boolean {
  if (trouble === 'lost state') return at < lostAt || at >= lostAt + minute;
  if (name === 'a') return true;
  if (trouble === 'pair, one restarted') return at < restartAt || at >= restartAt + 10 * minute;
  if (trouble === 'pair, one gone') return at < restartAt;
  if (trouble === 'pair, one lost its state') return at < lostAt || at >= lostAt + minute;
  return true;
}

function shownBy(outage: Outage, name: string, at: number): Shown | undefined {
  if (!answers(outage, name, at)) return undefined;
  const late = name === 'b' && outage.trouble === 'pair, one an hour late' ? 3600 : 0;
  const lost = outage.trouble === 'lost state' || (name === 'b' && outage.trouble === 'pair, one lost its state');
  const before = outage.known ? 40 : 0;
  const times = errorsOf(outage);
  const read = times.filter((time) => time + readAfter + late <= at);
  const logged = read.at(-1) ?? (outage.known ? history : undefined);
  if (lost && at >= lostAt + minute) return afterLoss(read, before, logged, at);
  if (logged === undefined) return undefined;
  const observed = read.length === 0 ? history : logged + readAfter + late;
  // A new series is at zero until the scraper has seen it: for one scrape.
  const born = !outage.known && at - (times[0]! + readAfter + late) < outage.scrapeSeconds;
  return { count: born ? 0 : before + read.length, logged, observed };
}

/** The logs are read anew: what is older than 15 minutes is history; older files are gone, so fewer are counted. */
function afterLoss(read: readonly number[], before: number, logged: number | undefined, at: number): Shown | undefined {
  // The first minute of the new state has read nothing yet.
  if (at < lostAt + 2 * minute || logged === undefined) return undefined;
  const young = lostAt - logged < 15 * minute && logged <= lostAt;
  const observed = young ? lostAt + 2 * minute : logged > lostAt ? logged + readAfter : logged;
  return { count: read.length + Math.floor(before / 2), logged, observed };
}

/** Result of the latest visit: they come every five minutes, and fail from the first try until the fault is mended. */
function visit(outage: Outage, at: number): number {
  if (outage.probing === 'passes') return 1;
  const visited = Math.floor(at / visitEvery) * visitEvery;
  return visited >= beginsAt && visited < errorsOf(outage).at(-1)! + mendedAfter ? 0 : 1;
}

/** @returns whether there is a scrape at a time */
function scrapesOf({ scrapeSeconds, trouble }: Outage): (at: number) => boolean {
  const [from, to] = gaps[trouble] ?? [0, 0];
  return (at) => at % scrapeSeconds === 0 && !(at >= from && at < to);
}

/**
 * Values in promtool's notation, `_` where nothing was scraped; empty without any value. Where a scrape no longer finds the
 * series, Prometheus marks it as stale.
 */
function written(scraped: (at: number) => boolean, value: (at: number) => number | undefined): string {
  const runs: { text: string; count: number }[] = [];
  let shown = false;
  for (let at = 0; at <= simulatedSeconds; at += step) {
    const found = scraped(at) ? value(at) : undefined;
    const ends = scraped(at) && found === undefined && shown;
    if (scraped(at)) shown = found !== undefined;
    const text = ends ? 'stale' : String(found ?? '_');
    const last = runs.at(-1);
    if (last?.text === text) last.count += 1;
    else runs.push({ text, count: 1 });
  }
  if (runs.length === 1 && runs[0]!.text === '_') return '';
  // A value says how often it comes again, an empty place how many there are.
  const withCount = ({ text, count }: (typeof runs)[number]): string =>
    text === '_' ? `_x${count}` : count === 1 ? text : `${text}x${count - 1}`;
  return runs.map(withCount).join(' ');
}
