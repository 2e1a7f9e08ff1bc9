/** What is remembered of a binary log between two passes: plain JSON of a few hundred bytes, whatever the file size. */

/** Chunks one after another in the file: first and last slot, lowest and highest record ID in them. */
export type Run = [fromSlot: number, toSlot: number, first: number, last: number];

/** Reading the headers of all slots, to learn which chunks hold new records and in which order to read them. */
export type Scan = {
  /** Next slot to look at. */
  slot: number;
  /** Chunks with new records. */
  runs: Run[];
  /** Highest record ID seen, and the slot it was seen in; -1 when none. */
  top: number;
  tip: number;
  /** One more than the last slot in use. */
  used: number;
  /** A chunk without a believable header was seen: the highest ID may be hidden in it. */
  unsure: boolean;
};

/**
 * Reading the chunks that a scan found. Only records with an ID in the range (`after`, `upTo`] end in an outcome,
 * so what is written meanwhile, in whichever slot, is left to the next look, and nothing is read twice.
 */
export type Walk = {
  readonly after: number;
  readonly upTo: number;
  /** What is still to be read, lowest IDs first. */
  readonly runs: Run[];
  /** Highest ID done, the time it was written, and its slot. */
  reached: number;
  written: string;
  tip: number;
};

export type Memory = {
  readonly version: 1;
  /** Every record up to this ID has ended in an outcome; -1 before the first. */
  highest: number;
  /** Time written (FILETIME) of the record `highest`: a cleared log that has grown past it has another one there. */
  written: string;
  /** Slot of the chunk that `highest` stands in, where new records are looked for; -1 when unknown. */
  tip: number;
  /** Checksum in the header of that chunk when all of it had been read. */
  seal: number | undefined;
  /** One more than the last slot in use. */
  used: number;
  scan?: Scan | undefined;
  walk?: Walk | undefined;
  /** The newest chunk is not whole: perhaps it is being written. `print` tells whether it has changed since. */
  left?: { slot: number; print: number; sightings: number } | undefined;
  /** The newest chunk was not whole for good and was read as it is; `damaged` was counted for it. */
  salvaged?: { slot: number; print: number; first: number; damaged: number } | undefined;
};

/** A copy of what was remembered; nothing at all when it is not ours. */
export function memoryOf(remembered: unknown): Memory {
  return isMemory(remembered) ? structuredClone(remembered) : emptyMemory();
}

export function emptyMemory(): Memory {
  return { version: 1, highest: -1, written: '', tip: -1, seal: undefined, used: 0 };
}

export function emptyScan(): Scan {
  return { slot: 0, runs: [], top: -1, tip: -1, used: 0, unsure: false };
}

/**
 * Adds a chunk to the runs of a scan. A log has one run, a circular log two; should a crafted file have more than
 * `mostRuns`, their order is given up, which the range of a walk makes harmless.
 */
export function addToRuns(runs: Run[], slot: number, first: number, last: number): void {
  const run = runs[runs.length - 1];
  if (run === undefined || (first <= run[3] && runs.length < mostRuns)) runs.push([slot, slot, first, last]);
  else {
    run[1] = slot;
    run[2] = Math.min(run[2], first);
    run[3] = Math.max(run[3], last);
  }
}

const mostRuns = 32;

function isMemory(value: unknown): value is Memory {
  const { version, highest, tip, used, written, scan, walk } = (value ?? {}) as Partial<Memory>;
  if (version !== 1 || ![highest, tip, used].every(Number.isSafeInteger) || typeof written !== 'string') return false;
  return (
    (scan === undefined ||
      (isRuns(scan.runs) && [scan.slot, scan.top, scan.tip, scan.used].every(Number.isSafeInteger))) &&
    (walk === undefined || (isRuns(walk.runs) && [walk.after, walk.upTo, walk.reached].every(Number.isSafeInteger)))
  );
}

function isRuns(value: unknown): boolean {
  const isRun = (run: unknown): boolean => Array.isArray(run) && run.length === 4 && run.every(Number.isSafeInteger);
  return Array.isArray(value) && value.every(isRun);
}
