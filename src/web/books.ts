/** Both books and what explains them, as pages and API read them. */
import type { Board } from '../board/board.js';
import type { DiagnosedPair } from '../diagnosis/diagnosis.js';
import type { Backlog } from '../health/backlog.js';
import type { Standing } from '../health/readiness.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Target } from '../model/connectors.js';
import type { OwnHost, SourceStatus } from '../model/status.js';

/** Everything a page may read. */
export type Books = Pick<Standing, 'ready' | 'notices'> & {
  readonly ledger: Pick<Ledger, 'rows' | 'folded' | 'related' | 'recent' | 'errorHours' | 'availability' | 'saving'>;
  readonly board: Pick<Board, 'entry' | 'entries' | 'history'>;
  readonly sources: () => readonly SourceStatus[];
  /** What is to be probed, whether it was already or not. */
  readonly targets: () => readonly Target[];
  /** A sentence when this destination is never probed; undefined when it is. */
  readonly notProbed: (destination: string) => string | undefined;
  /** One word and one sentence for every pair with an error within the last hour; worked out one by one as they are read. Nothing, now and then: a pause. */
  readonly diagnoses: () => Iterable<DiagnosedPair | undefined>;
  /** What can be typed where this exporter runs. */
  readonly ownHost: () => OwnHost;
  /** What the sources have not read yet, where it is much. */
  readonly backlog: () => Backlog | undefined;
};
