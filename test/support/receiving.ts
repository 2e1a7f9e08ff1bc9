/** A source that records are pushed to, with a real ledger behind it: as serve wires the two. */
import { onTestFinished } from 'vitest';
import { configSchema } from '../../src/config/schema.js';
import { followSources, partsOf } from '../../src/events/sources/sources.js';
import type { Followed } from '../../src/events/sources/source.js';
import { type Ledger, type LedgerOptions, openLedger } from '../../src/ledger/ledger.js';
import { listenForRecords } from '../../src/wiring/push-listener.js';
import { temporaryFolder } from './folder.js';
import { keepingLog } from './log-double.js';

export type Receiving = {
  readonly ledger: Ledger;
  readonly followed: Followed;
  /** Of the first source: its port, whatever it speaks. */
  readonly port: () => number;
  readonly logged: () => string;
};

/** @param sources as in the configuration */
export async function receive(sources: readonly object[], options: Partial<LedgerOptions> = {}): Promise<Receiving> {
  const directory = options.directory ?? (await temporaryFolder());
  const ledger = await openLedger({ now: Date.now, ...options, directory });
  const log = keepingLog();
  const followed = await followSources(partsOf(configSchema.parse({ sources }).sources), {
    checkpoints: ledger.checkpoints,
    forget: ledger.forget,
    post: ledger.post,
    saved: ledger.saved,
    listen: listenForRecords,
    knownConnectors: () => [],
    sessions: ledger.sessions,
    connectorOfGuid: () => undefined,
    log,
    now: Date.now,
    steady: options.steady,
  });
  onTestFinished(async () => {
    await followed.stop();
    await ledger.close();
  });
  const port = (): number => Number(/:(\d+)$/.exec(followed.statuses()[0]?.detail ?? '')?.[1]);
  return { ledger, followed, port, logged: () => JSON.stringify(log.lines) };
}

/** Errors of all rows. */
export function errorsOf(ledger: Ledger): number {
  return ledger.rows().reduce((sum, { errors }) => sum + errors, 0);
}
