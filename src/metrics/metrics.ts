/**
 * Puts the page of metrics together from the families of pairs, destinations and the exporter. The only file that knows prom-client.
 *
 * Rows of the ledger and destinations of the board are many and change rarely, so their lines are kept. What the
 * exporter says of itself is little; what there is to say of the process is left to prom-client.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Scrape } from '../ledger/scrape.js';
import type { LedgerRow } from '../model/batch.js';
import { createBreath } from '../runtime/breath.js';
import { foreground } from '../runtime/foreground.js';
import { boardFamilies, factsOfEntry, linesOfEntry, named } from './destinations.js';
import { exporterText } from './exporter.js';
import type { MetricsOptions } from './options.js';
import { textContentType } from './exposition.js';
import { createTable, type Page, pageOf } from './page.js';
import { adviceFamily, type Advised, diagnosisFamily, linesOfDiagnosis, linesOfRow, rowFamilies } from './pairs.js';

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
      server,
      connector,
      destination,
      word,
      next?.command,
      next?.where,
    ],
  });
  const boardTable = createTable({ families: boardFamilies, linesOf: linesOfEntry, dependsOn: factsOfEntry });
  const put = async (): Promise<Newest> => {
    const begun = performance.now();
    await options.look();
    await options.ledger.hurried();
    const done = foreground.begin();
    return putTogether(begun).finally(done);
  };
  const putTogether = async (begun: number): Promise<Newest> => {
    const breathe = createBreath();
    // The counts are looked at in one go; what explains them may be a moment younger.
    const { rows, held, readBy } = options.ledger.scrape();
    await breathe();
    const exporter = exporterText({ ...options, held, rows });
    const process = registry.metrics();
    await breathe();
    const diagnosed: Advised[] = [];
    for (const pair of options.diagnoses(mostDiagnosed)) {
      if (pair) diagnosed.push({ pair, next: options.nextCommand(pair) });
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
