/** Readiness of the exporter: whether it does its job, and what it cannot see. */
import { statfs } from 'node:fs/promises';
import { clockFinding, diskFinding, inventoryFindings, scrapeFinding, type Finding } from './findings.js';
import { fileGate, inTime } from '../runtime/file-gate.js';
import type { Inventory } from '../inventory/inventory.js';
import type { Ledger } from '../ledger/ledger.js';
import type { SourceStatus } from '../model/status.js';
import type { ReloadStatus } from '../config/reload.js';

export type StandingParts = {
  readonly stateDirectory: string;
  readonly ledger: Pick<Ledger, 'rows' | 'saving' | 'scrapers' | 'aheadAt' | 'silentDestinations'>;
  readonly sources: () => readonly SourceStatus[];
  /** Whether every source is read to its end. */
  readonly caughtUp: () => boolean;
  readonly inventory: () => Inventory | undefined;
  readonly reload: () => ReloadStatus;
  /** What is wrong with the web configuration, or undefined. */
  readonly webProblem: () => string | undefined;
  /** That the clock was set, while it matters; undefined otherwise. */
  readonly clockJump: () => string | undefined;
};

export type Standing = {
  readonly ready: () => { readonly ready: boolean; readonly why: readonly string[] };
  /** A sentence each, as the doctor says them. */
  readonly notices: () => readonly string[];
  /** Whether the files are in force as they stand, and since when (milliseconds since 1970 UTC). */
  readonly reloaded: () => { readonly successful: boolean; readonly successAt: number };
};

/** Prometheus has this long to come for the first time before it is missed. */
const firstScrapeSeconds = 600;

export function createStanding(parts: StandingParts): Standing {
  const disk = watchDisk(parts.stateDirectory);
  return {
    ready: () => {
      const why = reasonsOf(parts);
      return { ready: why.length === 0, why };
    },
    notices: () => noticesOf(parts, disk()),
    reloaded: () => {
      const { successful, successAt } = parts.reload();
      return { successful: successful && parts.webProblem() === undefined, successAt };
    },
  };
}

function reasonsOf({ ledger, sources, caughtUp }: StandingParts): string[] {
  const { failing } = ledger.saving();
  return [
    ...(caughtUp() ? [] : ['the sources are not read to their end yet']),
    ...sources()
      .filter((status) => !status.up)
      .map((status) => `source ${status.detail}`),
    ...(failing === undefined ? [] : [`the ledger cannot be saved: ${failing}`]),
  ];
}

function noticesOf(parts: StandingParts, freeBytes: number | undefined): string[] {
  const { problem, waiting } = parts.reload();
  const wrong = [problem ?? parts.webProblem(), parts.clockJump()];
  const inventory = parts.inventory();
  const findings = [
    ...(inventory ? inventoryFindings(inventory.status(), told(inventory), Date.now()) : []),
    ...machineFindings(parts, freeBytes),
  ];
  return [
    ...wrong.filter((text) => text !== undefined),
    ...onlySilent(parts.ledger),
    ...waiting.map((setting) => `the changed ${setting} takes effect after a restart`),
    ...findings
      .filter(({ state }) => state === 'warning' || state === 'failed')
      .map(({ text, remedy }) => (remedy === undefined ? text : `${text}: ${remedy}`)),
  ];
}

/** Whoever points the exporter at an old log must not take an empty page for a clean one. */
function onlySilent(ledger: StandingParts['ledger']): string[] {
  const silent = ledger.silentDestinations();
  if (silent === 0 || ledger.rows().some(({ lastErrorAt }) => lastErrorAt !== undefined)) return [];
  const which = silent === 1 ? 'the only destination with errors' : `all ${silent} destinations with errors`;
  const why = `the last error of ${which} is older than destinations.forgetAfter: counted, but not shown`;
  return [`${why}; with a longer forgetAfter they are shown after a restart`];
}

function told(inventory: Inventory): { connectors: number; doubts: ReturnType<Inventory['doubts']> } {
  return { connectors: inventory.connectors().length, doubts: inventory.doubts() };
}

/** Looked at when it is asked for, without waiting for it: a mount that hangs would hold everything. */
function watchDisk(directory: string): () => number | undefined {
  let freeBytes: number | undefined;
  let looking = false;
  const look = async (): Promise<void> => {
    try {
      const { bavail, bsize } = await inTime(
        fileGate.pass(directory, () => statfs(directory)),
        1_000,
      );
      freeBytes = bavail * bsize;
    } catch {
      // A folder that is gone: the next save says so.
      freeBytes = undefined;
    }
  };
  const lookSoon = (): void => {
    if (looking) return;
    looking = true;
    void look().finally(() => (looking = false));
  };
  lookSoon();
  return () => {
    lookSoon();
    return freeBytes;
  };
}

function machineFindings({ ledger, stateDirectory }: StandingParts, freeBytes: number | undefined): Finding[] {
  const now = Date.now();
  const shownAt = ledger.rows().reduce((newest, { lastErrorAt = 0 }) => Math.max(newest, lastErrorAt), 0);
  const newestAt = Math.max(shownAt, ledger.aheadAt() ?? 0);
  const clock = clockFinding(newestAt === 0 ? undefined : newestAt, now);
  const scrapes = process.uptime() > firstScrapeSeconds ? [scrapeFinding(ledger.scrapers(), now)] : [];
  return [clock, ...scrapes, ...(freeBytes === undefined ? [] : [diskFinding(stateDirectory, freeBytes)])];
}
