/**
 * Which record IDs a pass has seen, as runs without a gap: of decoded records and of those dropped by their bytes.
 *
 * The names of a log and its record ID are found by their marks, so that a dropped record need not be decoded; only the
 * first and the last record of a run are, for their times.
 */
import type { Decoded } from '../../model/records.js';
import { holds, type MarkReader, markReader, type RecordMarks, type Span } from './record-marks.js';

/** As `RecordRun` of the model, with the names as written. */
export type RunFound = {
  readonly computer: string;
  readonly channel: string;
  readonly first: number;
  last: number;
  readonly firstAt: number | undefined;
  lastAt: number | undefined;
};

export type RunCollector = {
  /** Notes a record that was decoded. */
  readonly take: (decoded: Decoded) => void;
  /** Notes a record that was dropped by its bytes. */
  readonly drop: (start: number, end: number) => void;
  /** In the order of their first records; undefined when the IDs cannot be told or hardly follow one another. */
  readonly runs: () => readonly RunFound[] | undefined;
  /** Gaps found, with those of the passes before, less one for each hundred IDs in a row. */
  readonly gaps: () => number;
};

export type CollectorOptions = {
  readonly marks: RecordMarks | undefined;
  readonly decode: (start: number, end: number) => readonly Decoded[];
  /** Setting of the source: true takes any trouble, false takes none, undefined as long as it promises something. */
  readonly unfiltered: boolean | undefined;
  /** Gaps that the passes before have found, where those were short. @default 0 */
  readonly gapsBefore?: number | undefined;
};

/** In one whole pass so many gaps, and so many records that must be decoded for their ID alone, are no unfiltered source. */
const mostTroubles = 64;
/** As in the proof of a log that comes unfiltered: so many IDs in a row outweigh a gap. */
const idsForGap = 100;

/** A log in this pass, with its names as bytes and its latest run. */
type Log = {
  readonly computer: Buffer;
  readonly channel: Buffer;
  run: RunFound;
  /** The last record of the run when it was dropped: its time is still to be found. */
  dropped: Span | undefined;
};

type Names = { readonly computer: string; readonly channel: string };
type State = CollectorOptions & {
  readonly bytes: Buffer;
  readonly marked: MarkReader | undefined;
  readonly logs: Map<string, Log>;
  readonly found: RunFound[];
  /** Log of the record before. */
  latest: Log | undefined;
  troubles: number;
  gaps: number;
};

/** Gaps of a source that selects its records mean nothing. */
const none: RunCollector = { take: () => undefined, drop: () => undefined, runs: () => undefined, gaps: () => 0 };

export function createRunCollector(bytes: Buffer, options: CollectorOptions): RunCollector {
  const { marks, unfiltered, gapsBefore = 0 } = options;
  if (unfiltered === false) return none;
  const marked = marks && markReader(bytes, marks);
  const state: State = {
    ...options,
    bytes,
    marked,
    logs: new Map(),
    found: [],
    latest: undefined,
    troubles: gapsBefore,
    gaps: gapsBefore,
  };
  const isOver = (): boolean => unfiltered === undefined && state.troubles > mostTroubles;
  return {
    take: (decoded) => {
      if (!isOver()) takeEvent(state, decoded);
    },
    drop: (start, end) => {
      if (!isOver()) dropRecord(state, [start, end]);
    },
    runs: () => {
      if (isOver()) return undefined;
      for (const log of state.logs.values()) settleEnd(state, log);
      return state.found;
    },
    gaps: () => state.gaps,
  };
}

function takeEvent(state: State, event: Decoded): void {
  if (event.kind !== 'event' || event.recordId === undefined) return;
  const { latest } = state;
  const isSame = latest?.run.computer === event.computer && latest.run.channel === event.channel;
  const log = isSame ? latest : state.logs.get(keyOf(event));
  if (!goesOn(state, log, event.recordId)) startRun(state, log, event, event.recordId, event.time);
  else log.run.lastAt = event.time;
}

function dropRecord(state: State, span: Span): void {
  const { marked } = state;
  const id = marked?.recordId(...span) ?? -1;
  const computer = id < 0 ? undefined : marked?.computer(...span);
  const channel = computer && marked?.channel(...span);
  if (!computer || !channel) {
    state.troubles++;
    for (const each of decodedOf(state, span)) takeEvent(state, each);
    return;
  }
  const names = (): Names => ({ computer: textIn(state, computer), channel: textIn(state, channel) });
  const log = isNamed(state, computer, channel) ? state.latest : state.logs.get(keyOf(names()));
  if (!goesOn(state, log, id)) startRun(state, log, names(), id, timeOf(state, span));
  else log.dropped = span;
}

/** Lets the run of a log grow by this record when its ID is the next one. */
function goesOn(state: State, log: Log | undefined, id: number): log is Log {
  if (log?.run.last !== id - 1) return false;
  if (state.gaps > 0) state.gaps = Math.max(0, state.gaps - 1 / idsForGap);
  log.run.last = id;
  log.dropped = undefined;
  state.latest = log;
  return true;
}

function startRun(state: State, log: Log | undefined, { computer, channel }: Names, id: number, at?: number): void {
  const run: RunFound = { computer, channel, first: id, last: id, firstAt: at, lastAt: at };
  state.found.push(run);
  if (log) {
    state.troubles++;
    // What comes again leaves no gap.
    if (id > log.run.last) state.gaps++;
    settleEnd(state, log);
    log.run = run;
    state.latest = log;
  } else {
    state.latest = { computer: Buffer.from(computer), channel: Buffer.from(channel), run, dropped: undefined };
    state.logs.set(keyOf(run), state.latest);
  }
}

/** Finds the time of the last record of a run. */
function settleEnd(state: State, log: Log): void {
  if (log.dropped) log.run.lastAt = timeOf(state, log.dropped);
  log.dropped = undefined;
}

function keyOf({ computer, channel }: Names): string {
  return `${computer}\n${channel}`;
}

function isNamed({ bytes, latest }: State, computer: Span, channel: Span): boolean {
  if (!latest) return false;
  return holds(bytes, computer, latest.computer) && holds(bytes, channel, latest.channel);
}

function textIn({ bytes }: State, [start, end]: Span): string {
  return bytes.toString('utf8', start, end);
}

function timeOf(state: State, span: Span): number | undefined {
  const [first] = decodedOf(state, span);
  return first?.kind === 'event' ? first.time : undefined;
}

/** A dropped record was not looked at: whether it is sound does not matter to the count. */
function decodedOf({ decode }: State, [start, end]: Span): readonly Decoded[] {
  try {
    return decode(start, end);
  } catch {
    return [];
  }
}
