/** The record IDs that a batch brought, by the log they are of. */
import type { RecordRun } from '../model/records.js';

/** What one batch tells about the record IDs of its source. */
export type RunsOfBatch = {
  readonly source: string;
  /** In the order in which they were read; undefined when too many of the IDs do not follow one another. */
  readonly runs: readonly RecordRun[] | undefined;
  /** The setting of the source; undefined: the IDs themselves tell. */
  readonly unfiltered: boolean | undefined;
  /** True while the source has more to read: what seems to be missing may be in there. */
  readonly behind: boolean;
};
