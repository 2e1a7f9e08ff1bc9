/** Books as the outlets read them, that hold what a test names and are empty otherwise. */
import type { BoardEntry } from '../../src/board/board.js';
import { diagnosesOf } from '../../src/diagnosis/diagnosis.js';
import type { Backlog } from '../../src/health/backlog.js';
import type { DestinationAvailability } from '../../src/ledger/availability.js';
import type { ErrorHours } from '../../src/ledger/error-hours.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import type { MetricsOptions } from '../../src/metrics/options.js';
import type { LedgerRow } from '../../src/model/batch.js';
import type { Target } from '../../src/model/connectors.js';
import type { RecentError, RelatedEvent } from '../../src/model/evidence.js';
import type { ProbeResult } from '../../src/model/probes.js';
import type { OwnHost, SourceStatus } from '../../src/model/status.js';
import type { Books } from '../../src/web/books.js';

type ReadLedger = Books['ledger'] & MetricsOptions['ledger'];
type Saving = ReturnType<Ledger['saving']>;

/** @param held in place of what an empty ledger answers */
export function ledgerOf(held: Partial<ReadLedger> = {}): ReadLedger {
  const rows = held.rows ?? (() => []);
  return {
    rows,
    asks: () => undefined,
    hurried: () => Promise.resolve(),
    scrape: () => ({ rows: rows(), held: 0, readBy: () => Promise.resolve() }),
    tallies: () => new Map(),
    missed: () => new Map(),
    folded: () => ({ errors: 0, latest: [] }),
    dormantErrors: () => 0,
    relatedCounts: () => [],
    related: () => [],
    recent: () => [],
    errorHours: () => [],
    availability: () => undefined,
    saving: () => savingOf(),
    ...held,
  };
}

export function savingOf(changes: Partial<Saving> = {}): Saving {
  return {
    failing: undefined,
    lastSavedAt: undefined,
    saved: 0,
    failed: 0,
    movedAside: undefined,
    startedOver: false,
    ...changes,
  };
}

/** What the books hold; all else is empty, quiet and ready. */
export type WorldDraft = {
  readonly rows?: readonly LedgerRow[];
  readonly entries?: readonly (BoardEntry & { readonly history?: readonly ProbeResult[] })[];
  readonly sources?: readonly SourceStatus[];
  readonly targets?: readonly Target[];
  readonly notProbed?: Readonly<Record<string, string>>;
  readonly saving?: Partial<Saving>;
  readonly related?: readonly RelatedEvent[];
  readonly recent?: readonly RecentError[];
  readonly errorHours?: Readonly<Record<string, readonly ErrorHours[]>>;
  readonly availability?: Readonly<Record<string, DestinationAvailability>>;
  readonly folded?: ReturnType<Ledger['folded']>;
  readonly why?: readonly string[];
  readonly notices?: readonly string[];
  readonly backlog?: Backlog;
};

const unknownHost: OwnHost = { windows: false, self: ['send-connector-exporter'], configured: [], programs: [] };

/** @param world asked anew at each reading, so that a test may change it; @param now milliseconds since 1970 UTC */
export function booksOf(world: () => WorldDraft, now: number): Books {
  const entryOf = entriesByName(world);
  const notProbed = (destination: string): string | undefined => world().notProbed?.[destination];
  return {
    ledger: ledgerOf({
      rows: () => world().rows ?? [],
      saving: () => savingOf({ lastSavedAt: now, ...world().saving }),
      related: () => world().related ?? [],
      recent: () => world().recent ?? [],
      errorHours: (connector) => world().errorHours?.[connector] ?? [],
      availability: (destination) => world().availability?.[destination],
      folded: () => world().folded ?? { errors: 0, latest: [] },
    }),
    board: {
      entry: entryOf,
      entries: () => world().entries ?? [],
      history: (destination) => entryOf(destination)?.history ?? [],
    },
    sources: () => world().sources ?? [],
    targets: () => world().targets ?? [],
    notProbed,
    diagnoses: () =>
      diagnosesOf(world().rows ?? [], world().entries ?? [], { now, notProbed, recent: world().recent ?? [] }),
    ready: () => ({ ready: (world().why ?? []).length === 0, why: world().why ?? [] }),
    notices: () => world().notices ?? [],
    ownHost: () => unknownHost,
    backlog: () => world().backlog,
  };
}

type Entry = NonNullable<WorldDraft['entries']>[number];

/** A large world has many, so they are looked up by name. */
function entriesByName(world: () => WorldDraft): (destination: string) => Entry | undefined {
  let [known, byName]: [WorldDraft['entries'], ReadonlyMap<string, Entry>] = [undefined, new Map()];
  return (destination) => {
    const { entries } = world();
    if (entries !== known) [known, byName] = [entries, new Map((entries ?? []).map((one) => [one.destination, one]))];
    return byName.get(destination);
  };
}
