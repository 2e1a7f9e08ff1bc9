/** Outages as an exporter sees them: its metrics page before and while each lasts, and who must be told of it. */
import { createBoard } from '../../src/board.js';
import { diagnosesOf } from '../../src/diagnosis.js';
import type { Metrics } from '../../src/metrics.js';
import type { LedgerRow, ProbeResult, Reason, SourceStatus, StepName } from '../../src/model.js';
import { commandForAlert } from '../../src/web/next-command.js';
import { metricsOf as quietMetricsOf } from '../metrics-of.js';

/** A Send connector and a destination of it; `fails` is what the visits of it end with while the outage lasts. */
type Pair = {
  readonly connector: string;
  readonly destination: string;
  readonly server?: string;
  /** No errors of Exchange, whatever the visits say. */
  readonly quiet?: true;
  readonly fails?: readonly [StepName, Reason, detail?: string];
  readonly certificateExpired?: true;
};

export type OutageCase = {
  readonly name: string;
  /** Part of every name in this outage, so that its notifications are told from those of the others. */
  readonly server: string;
  readonly pairs: readonly Pair[];
  readonly probing?: false;
  readonly exporter?: 'down' | 'source gone' | 'not saved';
  /** Names of alerts that reach each receiver; nothing else may. */
  readonly told: { readonly team: readonly string[]; readonly warnings: readonly string[] };
};

const ok = (connector: string, destination: string): Pair => ({ connector, destination, quiet: true });

function oneDestination(
  name: string,
  number: string,
  fails: Pair['fails'],
  more: Partial<Pair> = {},
  warnings: readonly string[] = [],
): OutageCase {
  return {
    name,
    server: `exch-${number}`,
    pairs: [
      {
        connector: `To Partner ${number}`,
        destination: `10.${Number(number)}.0.1:25`,
        ...(fails && { fails }),
        ...more,
      },
      ok(`Internet ${number}`, `10.${Number(number)}.0.2:25`),
    ],
    told: { team: ['DestinationDown'], warnings },
  };
}

export const outageCases: readonly OutageCase[] = [
  oneDestination('one destination refuses the connection', '01', ['tcp', 'refused']),
  oneDestination('one smart host has lost its name', '02', ['dns', 'name_not_found'], {
    destination: 'relay-02.contoso.example:25',
  }),
  {
    name: 'a server reaches nothing',
    server: 'exch-03',
    pairs: [
      { connector: 'Internet 03', destination: '10.3.0.1:25', fails: ['tcp', 'timeout'] },
      { connector: 'To Partner 03', destination: '10.3.0.2:25', fails: ['tcp', 'network_unreachable'] },
    ],
    told: { team: ['ServerEgressDown'], warnings: [] },
  },
  oneDestination('a smart host refuses us in its banner', '04', ['banner', 'banner_5xx', '554 5.7.1 blocked']),
  oneDestination('a certificate has expired', '05', ['tls', 'certificate_expired'], { certificateExpired: true }, [
    'CertificateExpiring',
  ]),
  oneDestination('a certificate is for another name', '06', ['tls', 'certificate_name_mismatch']),
  oneDestination('STARTTLS is not offered any more', '07', ['starttls', 'starttls_not_offered']),
  {
    name: 'all destinations of one connector fail, each for a reason of its own',
    server: 'exch-08',
    pairs: [
      { connector: 'To Partner 08', destination: '10.8.0.1:25', fails: ['tcp', 'refused'] },
      { connector: 'To Partner 08', destination: '10.8.0.2:25', fails: ['tls', 'certificate_untrusted'] },
      ok('Internet 08', '10.8.0.3:25'),
    ],
    told: { team: ['SendConnectorDown'], warnings: [] },
  },
  {
    name: 'two connectors of a server fail at SMTP and TLS, which is not the server',
    server: 'exch-09',
    pairs: [
      { connector: 'Berlin 09', destination: '10.9.0.1:25', fails: ['banner', 'banner_timeout'] },
      { connector: 'Munich 09', destination: '10.9.0.2:25', fails: ['tls', 'certificate_expired'] },
    ],
    told: { team: ['DestinationDown'], warnings: [] },
  },
  {
    name: 'an exporter does not answer',
    server: 'exch-10',
    pairs: [ok('Internet 10', '10.10.0.1:25')],
    exporter: 'down',
    told: { team: ['SendConnectorExporterDown'], warnings: [] },
  },
  {
    name: 'a source cannot be read',
    server: 'exch-11',
    pairs: [ok('Internet 11', '10.11.0.1:25')],
    exporter: 'source gone',
    told: { team: [], warnings: ['SendConnectorSourceStalled'] },
  },
  {
    name: 'the ledger cannot be saved',
    server: 'exch-12',
    pairs: [ok('Internet 12', '10.12.0.1:25')],
    exporter: 'not saved',
    told: { team: ['StateNotSaved'], warnings: [] },
  },
  {
    name: 'errors go on and nothing is probed',
    server: 'exch-13',
    pairs: [{ connector: 'Internet 13', destination: '10.13.0.1:25' }],
    probing: false,
    told: { team: ['SendConnectorErrorsPersist'], warnings: ['SendConnectorErrorsRepeated'] },
  },
];

/** Milliseconds between two errors of a pair. */
const errorEveryMs = 4000;

export type OutageExporter = {
  readonly of: OutageCase;
  readonly begin: () => void;
  /** The text of /metrics; undefined when it does not answer. */
  readonly page: () => Promise<string | undefined>;
};

export function exporterOf(of: OutageCase): OutageExporter {
  let begunAt: number | undefined;
  const board = createBoard();
  const post = (): void => {
    if (of.probing !== false) for (const pair of of.pairs) board.post(visitOf(pair, begunAt !== undefined));
  };
  const rows = (): LedgerRow[] => of.pairs.map((pair) => rowOf(of, pair, begunAt));
  const metrics = metricsOf(of, board, rows, () => begunAt !== undefined);
  return {
    of,
    begin: () => void (begunAt = Date.now()),
    page: async () => {
      if (begunAt !== undefined && of.exporter === 'down') return undefined;
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
    {
      rows,
      asks: () => undefined,
      scrape: () => ({ rows: rows(), held: 0, readBy: () => Promise.resolve() }),
      missed: () => new Map(),
      tallies: () => new Map(),
      saving: () => ({
        failing: undefined,
        lastSavedAt: Date.now(),
        saved: 7,
        failed: failed(),
        movedAside: undefined,
      }),
      folded: () => ({ errors: 0, latest: [] }),
      dormantErrors: () => 0,
      relatedCounts: () => [],
    },
    {
      board,
      sources: () => [status()],
      diagnoses: () => diagnosesOf(rows(), board.entries(), { now: Date.now(), notProbed }),
      nextCommand: (pair) => commandForAlert(pair, board.entry(pair.destination)?.latest.host),
    },
  );
}

function rowOf({ server: ofCase }: OutageCase, pair: Pair, begunAt: number | undefined): LedgerRow {
  const { connector, destination, server = ofCase, quiet } = pair;
  const errors = begunAt === undefined || quiet ? 0 : 1 + Math.floor((Date.now() - begunAt) / errorEveryMs);
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
    facts: lasts && certificateExpired ? { certificateExpiresAt: at - 3_600_000 } : {},
    transcript: [],
  };
}
