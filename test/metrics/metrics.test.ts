import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createBoard } from '../../src/board/board.js';
import { diagnosesOf } from '../../src/diagnosis/diagnosis.js';
import { createMetrics } from '../../src/metrics/metrics.js';
import type { LedgerRow } from '../../src/model/batch.js';
import type { ProbeResult } from '../../src/model/probes.js';
import type { SourceStatus } from '../../src/model/status.js';
import { ledgerOf, savingOf } from '../support/books.js';
import { exportedConnectors } from '../support/exported.js';
import { runTool } from '../support/promtool.js';

const at = Date.parse('2026-01-15T08:14:02.137Z');

function row(destination: string, errors: number, connector = 'Outbound to Internet'): LedgerRow {
  const counts = { errors, attempts: 0, failures: {} };
  const times = { lastErrorAt: at, lastObservedAt: at + 1000, lastAttemptAt: undefined };
  return { server: 'exch01.contoso.local', connector, destination, ...counts, ...times };
}

const source: SourceStatus = {
  source: '/var/log/winlogbeat/*.ndjson',
  up: true,
  detail: 'reading 1 file',
  lastRecordAt: at + 1000,
  lagBytes: 0,
  lagSeconds: 0,
  stalledSeconds: 0,
  bytesRead: 4472,
  subscription: { restarts: 1, reopened: 3, bookmarksLost: 2 },
  pushed: { accepted: 5, unreadable: 1, too_large: 0, busy: 2, unauthorized: 3 },
  handshakes: {
    no_client_certificate: 4,
    unknown_authority: 1,
    expired: 0,
    name_not_allowed: 0,
    not_trusted: 2,
    protocol_version: 0,
    plain_text: 1,
    gone: 12,
    other: 0,
  },
};

const topic: SourceStatus = {
  ...source,
  source: 'kafka:windows-events',
  detail: 'following 2 partitions',
  topic: {
    partitions: [
      { partition: 0, lagRecords: 0, lagSeconds: 0 },
      { partition: 1, lagRecords: 1200, lagSeconds: 2.5 },
    ],
    reconnects: 1,
    resets: { retention: 1, truncated: 0, recreated: 0 },
  },
};

function visit(destination: string, changes: Partial<ProbeResult>): ProbeResult {
  const steps = [{ step: 'tcp', seconds: 0.02, outcome: 'passed' }] as const;
  const name = { id: `${destination}@${at}`, destination, host: 'mail.fabrikam.example', origin: 'observed' } as const;
  return {
    ...name,
    at,
    seconds: 0.1,
    success: true,
    failedStep: undefined,
    reason: undefined,
    steps,
    facts: {},
    transcript: [],
    ...changes,
  };
}

function metricsOf(rows: readonly LedgerRow[], sources: readonly SourceStatus[]): ReturnType<typeof createMetrics> {
  const board = createBoard({ clock: () => at });
  const tls = { tlsVersion: 'TLSv1.3', tlsCipher: 'TLS_AES_256_GCM_SHA384', certificateExpiresAt: at + 86_400_000 };
  board.post(visit('203.0.113.25:25', { facts: tls }));
  const refused = [{ step: 'tcp', seconds: 0.001, outcome: 'failed', reason: 'refused' }] as const;
  board.post(
    visit('[2001:db8:25::1]:25', {
      host: '2001:db8:25::1',
      success: false,
      failedStep: 'tcp',
      reason: 'refused',
      steps: refused,
    }),
  );
  board.post(visit('127.0.0.1:6379', { success: false, failedStep: 'tcp', reason: 'blocked_by_policy', steps: [] }));
  const rttSeconds = { min: 0.01, average: 0.012, max: 0.02 };
  board.postPing('203.0.113.25:25', { at, program: 'ping', state: 'done', sent: 4, received: 3, rttSeconds });
  board.postPing('[2001:db8:25::1]:25', { at, program: '', state: 'no_program', sent: 0, received: 0 });
  const resolved = [{ step: 'dns', seconds: 0.003, outcome: 'passed' }] as const;
  for (const name of ['relay.contoso.example:25', 'relay.contoso.example:587']) {
    const facts = { addresses: ['203.0.113.25', '203.0.113.26'] };
    board.post(visit(name, { host: 'relay.contoso.example', origin: 'inventory', steps: resolved, facts }));
  }
  const outcomes = { counted: 3, related: 0, ignored: 2, duplicate: 1, unreadable: 1 };
  const ledger = ledgerOf({
    rows: () => rows,
    scrape: () => ({ rows, held: 1, readBy: () => Promise.resolve() }),
    missed: () => new Map([[source.source, 3]]),
    tallies: () => new Map([[source.source, { outcomes, unreadable: { not_json: 1 } }]]),
    saving: () => savingOf({ lastSavedAt: at + 1000, saved: 7 }),
    relatedCounts: () => [
      { server: 'exch01.contoso.local', provider: 'Microsoft-Windows-DNS-Client', eventId: 1014, count: 2 },
    ],
  });
  const reload = () => ({ successful: true, successAt: at });
  const rest = {
    sources: () => sources,
    look: () => Promise.resolve(),
    reload,
    diagnoses: () =>
      diagnosesOf(rows.slice(0, 1), board.entries(), { now: at + 60_000, notProbed: () => undefined, recent: [] }),
    nextCommand: ({ connector, server }: { connector: string; server: string }) => ({
      command: `Get-SendConnector '${connector}'`,
      where: server,
    }),
    probeQueueLength: () => 0,
    destinationsLimit: 2000,
    version: '0.0.0',
  };
  const [connector] = exportedConnectors([
    { Name: 'Outbound to Internet', DNSRoutingEnabled: true, ProtocolLoggingLevel: 0 },
  ]);
  return createMetrics({
    ledger,
    board,
    ...rest,
    connectors: () => [connector!],
    webHandshakes: () => undefined,
    clockJumps: () => ({ back: 1, forward: 0 }),
    inventoryModifiedAt: () => at - 3_600_000,
    now: () => at,
  });
}

async function pageText(rows: readonly LedgerRow[], sources = [source, topic]): Promise<string> {
  const { page } = await metricsOf(rows, sources).render('127.0.0.1');
  return Buffer.concat(page.plain).toString();
}

/** Without what Node and the process say of themselves, which is never the same twice. */
function own(page: string): string {
  const lines = page.split('\n').filter((line) => !/^(# (HELP|TYPE) )?(nodejs|process)_/.test(line));
  return lines.join('\n').replace(/nodejs="[^"]*"/, 'nodejs="v20"');
}

const rows = [
  row('203.0.113.25:25', 3),
  row('[2001:db8:25::1]:25', 1, 'Büro "Außen" \\ <DMZ>\n'),
  row('10.20.30.40:587', 2, 'unknown'),
  { ...row('198.51.100.9:25', 0), attempts: 7, failures: { timeout: 2, certificate_expired: 1 }, lastAttemptAt: at },
];

test('the whole page is the golden page (UPDATE=1 writes it)', async () => {
  const golden = path.join(import.meta.dirname, '../golden/metrics.txt');
  const page = own(await pageText(rows));
  if (process.env.UPDATE) {
    await mkdir(path.dirname(golden), { recursive: true });
    await writeFile(golden, page);
  }
  expect(page).toBe(await readFile(golden, 'utf8'));
});

test('19.1: where no topic of Kafka is read, the page has none of its families', async () => {
  const page = await pageText(rows, [source]);
  expect(page).toContain('# TYPE exchange_exporter_source_restarts_total');
  expect(page).not.toMatch(/source_partition_|source_reconnects_|source_offset_resets_/);
});

test('promtool finds nothing to complain about', async (context) => {
  // Whole, as Prometheus reads it: with what Node and the process say of themselves.
  const page = await pageText(rows);
  const { code, output } = runTool(context, 'promtool', ['check', 'metrics'], page);
  expect(page).toContain('nodejs_active_resources{');
  expect(page).not.toMatch(/nodejs_active_\w+_total/);
  expect(output).toBe('');
  expect(code).toBe(0);
});

test('every metric of the product is in the table of docs/metrics.md, and nothing else is', async () => {
  const page = own(await pageText(rows));
  const names = [...page.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]).sort();
  const reference = await readFile(path.join(import.meta.dirname, '../../docs/metrics.md'), 'utf8');
  const table = [...reference.matchAll(/^\| `(exchange_\w+)/gm)].map((match) => match[1]).sort();
  expect(table).toEqual(names);
});

test('the same labels never appear twice', async () => {
  const page = own(await pageText(rows));
  const series = page
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.slice(0, line.lastIndexOf(' ')));
  expect(new Set(series).size).toBe(series.length);
});

test('an address has the host name that a transport log told', async () => {
  const told = { ...row('[2001:db8:25::1]:25', 0), host: 'relay6.aussen.example' };
  const info = (page: string): string | undefined => /^exchange_destination_info\{.*2001.*$/m.exec(page)?.[0];
  expect(info(await pageText([told]))).toContain('host="relay6.aussen.example"');
});
