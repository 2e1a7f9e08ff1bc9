/** Both books and what explains them, as pages and API read them. */
import type { Outcome } from '../board/outcomes.js';
import type { DiagnosedPair } from '../diagnosis/diagnosis.js';
import type { Backlog } from '../health/backlog.js';
import type { DestinationAvailability } from '../ledger/availability.js';
import type { ErrorHours } from '../ledger/error-hours.js';
import type { LedgerRow } from '../model/batch.js';
import type { RecentError, RelatedEvent } from '../model/evidence.js';
import type { PathReport, PingReport, ProbeResult } from '../model/probes.js';
import type { OwnHost, SourceStatus } from '../model/status.js';
import type { Reason, StepName } from '../model/words.js';

/** The ledger as the pages read it. */
type LedgerView = {
  readonly rows: () => readonly LedgerRow[];
  /** Errors counted under the destination `other`, and the latest destinations that are, newest last. */
  readonly folded?: () => {
    readonly errors: number;
    readonly latest: readonly { readonly connector: string; readonly destination: string }[];
  };
  /** Related events that are kept, and the errors of the last day. */
  readonly related?: () => readonly RelatedEvent[];
  readonly recent?: () => readonly RecentError[];
  /** Errors of a connector by reason and hour, for a week. */
  readonly errorHours?: (connector: string) => readonly ErrorHours[];
  /** How many visits of a destination passed, and its last outages; undefined when it was not visited within 30 days. */
  readonly availability?: (destination: string) => DestinationAvailability | undefined;
  /** Trouble with saving: why it fails (undefined when it works), and when it last worked (ms since 1970 UTC). */
  readonly saving: () => {
    readonly failing: string | undefined;
    readonly lastSavedAt: number | undefined;
    /** What was wrong with a damaged ledger at the start, and where it is now. */
    readonly movedAside?: string | undefined;
  };
};

/** One visit; a step that failed without deciding the outcome is its warning. */
export type Visit = ProbeResult & { readonly warning?: { readonly step: StepName; readonly reason: Reason } };

/** What the board knows of one destination; the part of it that pages show. Times are milliseconds since 1970 UTC. */
export type BoardEntry = {
  readonly destination: string;
  readonly latest: Visit;
  readonly lastGood: Visit | undefined;
  readonly lastFailed: Visit | undefined;
  readonly lastSuccessAt: number | undefined;
  readonly failingSince: number | undefined;
  /** Visits made so far. */
  readonly probes: number;
  readonly failedInARow: number;
  readonly passingSince?: number | undefined;
  /** The latest visits in short, oldest first. */
  readonly outcomes?: readonly Outcome[];
  readonly ping?: PingReport | undefined;
  readonly path?: PathReport | undefined;
};

/** The board as the pages read it. */
type BoardView = {
  readonly entry: (destination: string) => BoardEntry | undefined;
  readonly entries: () => readonly BoardEntry[];
  /** Visits that are kept, newest first; failed ones may be kept longer than good ones. */
  readonly history: (destination: string) => readonly Visit[];
};

/** Whether the exporter does its job, with a sentence for everything that is missing. */
type Ready = { readonly ready: boolean; readonly why: readonly string[] };

/** Everything a page may read. */
export type Books = {
  readonly ledger: LedgerView;
  readonly board: BoardView;
  readonly sources: () => readonly SourceStatus[];
  /** What is to be probed, whether it was already or not. */
  readonly targets?: () => readonly { readonly destination: string }[];
  /** A sentence when this destination is never probed; undefined when it is. */
  readonly notProbed: (destination: string) => string | undefined;
  /** One word and one sentence for every pair with an error within the last hour; worked out one by one as they are read. */
  readonly diagnoses: () => Iterable<DiagnosedPair>;
  readonly ready: () => Ready;
  /** What is not seen, or not in force, though the exporter does its job: a sentence each. */
  readonly notices?: () => readonly string[];
  /** What can be typed where this exporter runs. */
  readonly ownHost?: () => OwnHost;
  /** What the sources have not read yet, where it is much. */
  readonly backlog?: () => Backlog | undefined;
};
