/** The exporter of an outage: its metrics page before, while and after the outage lasts. */
import { createBoard } from '../../src/board/board.js';
import { diagnosesOf } from '../../src/diagnosis/diagnosis.js';
import type { Metrics } from '../../src/metrics/metrics.js';
import type { LedgerRow } from '../../src/model/batch.js';
import type { ProbeResult } from '../../src/model/probes.js';
import type { SourceStatus } from '../../src/model/status.js';
import { commandForAlert } from '../../src/web/parts/next-command.js';
import { ledgerOf, savingOf } from '../support/books.js';
import { metricsOf as quietMetricsOf } from '../support/metrics-of.js';
import type { OutageCase, Pair } from './outage-cases.js';

/** Milliseconds between two errors of a pair. */
const errorEveryMs = 4000;

export type OutageExporter = {
  readonly of: OutageCase;
  readonly begin: () => void;
  readonly end: () => void;
  /** The text of /metrics; undefined when it does not answer. */
  readonly page: () => Promise<string | undefined>;
};

/** When the outage began and ended, as far as it has. */
type Span = { begunAt: number | undefined; endedAt: number | undefined };

export function exporterOf(of: OutageCase): OutageExporter {
  const time: Span = { begunAt: undefined, endedAt: undefined };
  const lasts = (): boolean => time.begunAt !== undefined && time.endedAt === undefined;
  const board = createBoard();
  const post = (): void => {
    if (of.probing !== false) for (const pair of of.pairs) board.post(visitOf(pair, lasts()));
  };
  const rows = (): LedgerRow[] => of.pairs.map((pair) => rowOf(of, pair, time));
  const metrics = metricsOf(of, board, rows, lasts);
  return {
    of,
    begin: () => void (time.begunAt = Date.now()),
    end: () => void (time.endedAt = Date.now()),
    page: async () => {
      if (lasts() && of.exporter === 'down') return undefined;
      post();
      const { page } = await metrics.render('127.0.0.1');
      return Buffer.concat(page.plain).toString();
    },
  };
}

function metricsOf(
  of: OutageCase,
  board: ReturnType<typeof createBoard>,
  rows: () => LedgerRow[],
  lasts: () => boolean,
): Metrics {
  const status = (): SourceStatus => ({
    source: `C:\\Logs\\${of.server}`,
    up: !(lasts() && of.exporter === 'source gone'),
    detail: '',
    lastRecordAt: Date.now(),
    ...{ lagBytes: 0, lagSeconds: 0, stalledSeconds: 0, bytesRead: 1 },
  });
  const notProbed = (): string | undefined => (of.probing === false ? 'probing is switched off' : undefined);
  const failed = (): number => (lasts() && of.exporter === 'not saved' ? 3 : 0);
  return quietMetricsOf(
    ledgerOf({ rows, saving: () => savingOf({ lastSavedAt: Date.now(), saved: 7, failed: failed() }) }),
    {
      board,
      sources: () => [status()],
      diagnoses: () => diagnosesOf(rows(), board.entries(), { now: Date.now(), notProbed, recent: [] }),
      nextCommand: (pair) => commandForAlert(pair, board.entry(pair.destination)?.latest.host),
    },
  );
}

function rowOf({ server: ofCase }: OutageCase, pair: Pair, { begunAt, endedAt }: Span): LedgerRow {
  const { connector, destination, server = ofCase, quiet, once } = pair;
  const until = once ? begunAt : (endedAt ?? Date.now());
  const errors =
    begunAt === undefined || until === undefined || quiet ? 0 : 1 + Math.floor((until - begunAt) / errorEveryMs);
  const lastAt = errors === 0 || begunAt === undefined ? undefined : begunAt + (errors - 1) * errorEveryMs;
  const times = { lastErrorAt: lastAt, lastObservedAt: lastAt, lastAttemptAt: undefined };
  return { server, connector, destination, errors, attempts: 0, failures: {}, ...times };
}

function visitOf({ destination, fails, certificateExpired }: Pair, lasts: boolean): ProbeResult {
  const at = Date.now();
  const [step, reason, detail] = (lasts ? fails : undefined) ?? [];
  const failed = step && {
    ...{ step, seconds: 0.1, outcome: 'failed' as const, reason: reason ?? 'other' },
    ...(detail !== undefined && { detail }),
  };
  return {
    ...{ id: `${destination}@${at}`, destination, host: destination.replace(/:\d+$/, ''), origin: 'observed', at },
    ...{ seconds: 0.1, success: failed === undefined, failedStep: step, reason },
    steps: [failed ?? { step: 'tcp', seconds: 0.1, outcome: 'passed' }],
    facts: certificateExpired ? { certificateExpiresAt: at + (lasts ? -1 : 90 * 24) * 3_600_000 } : {},
    transcript: [],
  };
}
