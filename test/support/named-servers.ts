/** A server under its names: what is told of it, how Prometheus reads it, and what the ledger has to make of it. */
import { expect, vi } from 'vitest';
import type { Ledger } from '../../src/ledger/ledger.js';
import type { Batch, LedgerRow } from '../../src/model/batch.js';
import type { Evidence } from '../../src/model/evidence.js';
import { createServerNames } from '../../src/ledger/server-names.js';

export const now = Date.parse('2026-01-15T09:00:00Z');
export const short = 'exch01';
export const inA = 'exch01.a.example';
export const inB = 'exch01.b.example';

const destination = '203.0.113.25:25';
export const pair = { connector: 'Outbound', destination };

export function batch(evidence: readonly Evidence[], more: Partial<Batch> = {}): Batch {
  return { source: 'log', evidence, ignored: 0, unreadable: {}, checkpoint: undefined, history: false, ...more };
}

export type Kind = 'errors' | 'attempts' | 'refused';
export const kinds: readonly Kind[] = ['errors', 'attempts', 'refused'];
let recordId = 0;

export function nextRecordId(): number {
  return ++recordId;
}

export function evidenceOf(server: string, kind: Kind, id = nextRecordId()): Evidence {
  if (kind === 'attempts') return { kind: 'connection_attempt', server, ...pair, at: now };
  if (kind === 'refused') return { kind: 'connection_failure', server, ...pair, reason: 'refused', at: now };
  const key = { server, channel: 'application', recordId: id, time: now };
  return { kind: 'connection_error', key, server, ...pair, at: now };
}

function valueIn(row: LedgerRow, kind: Kind): number | undefined {
  if (kind === 'errors') return row.errors;
  if (kind === 'attempts') return row.lastAttemptAt === undefined ? undefined : row.attempts;
  return row.failures.refused;
}

/** Reads as Prometheus does and adds up what `increase()` would, for each kind over all servers. */
export function createPrometheus(address: string) {
  const last = new Map<string, number>();
  const increases = new Map<Kind, number>(kinds.map((kind) => [kind, 0]));
  let raw = new Map<Kind, number>();
  return {
    increase: (kind: Kind) => increases.get(kind),
    raw: (kind: Kind) => raw.get(kind) ?? 0,
    scrape: async (ledger: Ledger): Promise<readonly LedgerRow[]> => {
      ledger.asks(address);
      const { rows, readBy } = ledger.scrape();
      raw = new Map();
      for (const row of rows)
        for (const kind of kinds) {
          const value = valueIn(row, kind);
          if (value === undefined) continue;
          const series = `${row.server} ${kind}`;
          const before = last.get(series) ?? value;
          increases.set(kind, (increases.get(kind) ?? 0) + (value >= before ? value - before : value));
          last.set(series, value);
          raw.set(kind, (raw.get(kind) ?? 0) + value);
        }
      expect(new Set(rows.map(({ server }) => server)).size).toBe(rows.length);
      await readBy(address);
      return rows;
    },
  };
}

/** Until every scraper has been told all, which is the only thing waited for: it must come true and stay so. */
export async function settled(
  ledger: Ledger,
  readers: readonly ReturnType<typeof createPrometheus>[],
  entered: ReadonlyMap<Kind, number>,
): Promise<void> {
  const scrapeAll = async (): Promise<void> => {
    await ledger.hurried();
    for (const reader of readers) await reader.scrape(ledger);
    for (const reader of readers)
      for (const kind of kinds) expect([kind, reader.increase(kind)]).toEqual([kind, entered.get(kind) ?? 0]);
  };
  await vi.waitFor(scrapeAll, { timeout: 10_000, interval: 2 });
  for (let round = 0; round < 4; round++) await scrapeAll();
}

export function totals(rows: readonly LedgerRow[]): Record<string, number> {
  return Object.fromEntries(
    rows.flatMap((row) => kinds.map((kind) => [`${row.server} ${kind}`, valueIn(row, kind) ?? 0] as const)).sort(),
  );
}

/** What the documents promise, in a few lines. */
export function createModel() {
  const names = createServerNames();
  let counts = new Map<string, number>();
  const carry = (name: string | undefined): void => {
    if (name === undefined) return;
    const renamed = new Map<string, number>();
    for (const [key, count] of counts) {
      const [server = '', kind = ''] = key.split(' ');
      const to = `${server === name ? names.nameOf(name) : server} ${kind}`;
      renamed.set(to, (renamed.get(to) ?? 0) + count);
    }
    counts = renamed;
  };
  return {
    learn: (server: string) => {
      carry(names.learn(server));
    },
    enter: (server: string, kind: Kind) => {
      carry(names.learn(server));
      const name = names.nameOf(server);
      for (const each of kinds)
        counts.set(`${name} ${each}`, (counts.get(`${name} ${each}`) ?? 0) + Number(each === kind));
    },
    declare: (full: string) => {
      for (const name of names.declare([{ short, full }])) carry(name);
    },
    totals: () => Object.fromEntries([...counts].sort()),
  };
}
