/** The inputs of the metrics: where each value comes from. */
import type { Board } from '../board/board.js';
import type { DiagnosedPair } from '../diagnosis/diagnosis.js';
import type { Ledger } from '../ledger/ledger.js';
import type { SendConnector } from '../model/connectors.js';
import type { HandshakeCounts } from '../model/handshakes.js';
import type { SourceStatus } from '../model/status.js';
import type { AdvisedCommand } from './pairs.js';

export type MetricsOptions = {
  readonly ledger: Pick<
    Ledger,
    | 'rows'
    | 'asks'
    | 'hurried'
    | 'scrape'
    | 'relatedCounts'
    | 'tallies'
    | 'missed'
    | 'saving'
    | 'dormantErrors'
    | 'folded'
  >;
  readonly board: Pick<Board, 'entries'>;
  /** Pairs with an error within the last hour; of more than so many those with the latest errors. Nothing, now and then: a pause. */
  readonly diagnoses: (most: number) => Iterable<DiagnosedPair | undefined>;
  /** The next command to type for such a pair, where there is one. */
  readonly nextCommand: (pair: DiagnosedPair) => AdvisedCommand | undefined;
  /** Probes that are due but waiting for a free slot. */
  readonly probeQueueLength: () => number;
  /** How the latest reload went; the time in milliseconds since 1970 UTC. */
  readonly reload: () => { readonly successful: boolean; readonly successAt: number };
  readonly sources: () => readonly SourceStatus[];
  /** Reads what has come by now, unless that takes longer than a moment. */
  readonly look: () => Promise<void>;
  readonly destinationsLimit: number;
  /** Of the inventory, and when it was written (milliseconds since 1970 UTC; undefined without one). */
  readonly connectors: () => readonly SendConnector[];
  readonly inventoryModifiedAt: () => number | undefined;
  /** Jumps of the clock since the start. */
  readonly clockJumps: () => { readonly back: number; readonly forward: number };
  /** TLS handshakes that failed on the listeners of the pages; undefined where no TLS is spoken. */
  readonly webHandshakes: () => HandshakeCounts | undefined;
  readonly now: () => number;
  readonly version: string;
};
