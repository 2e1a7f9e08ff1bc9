/**
 * Watches that reading moves on. A file that fails again and again at the same place, or whose reading does not end,
 * stands still: its source is not healthy, whatever else can be said of it.
 */

/** A file as it is watched. */
type Watched = { readonly source: string; readonly path: string };

/** A file that stands still. */
type Standstill = Watched & {
  /** How long it has not moved on, in milliseconds. */
  readonly ms: number;
  /** Sentence for a person. */
  readonly text: string;
};

export type Progress = {
  /** Reading of the file begins, or goes on, at a place. */
  readonly begin: (key: string, file: Watched, offset: number) => void;
  /** It has come to an end, or what was read waits for others. */
  readonly end: (key: string) => void;
  /** It has failed at a place. */
  readonly fail: (key: string, file: Watched, offset: number, error: unknown) => void;
  /** Forgets files that failed and are not there any more. */
  readonly keepOnly: (present: Pick<ReadonlySet<string>, 'has'>) => void;
  /** The files of a source that stand still, the one that has for longest first. */
  readonly standstills: (source: string) => readonly Standstill[];
};

/** So long a file may take for one step: a slow share is no standstill. */
export const standstillMs = 60_000;

type Attempt = Watched & {
  readonly offset: number;
  readonly since: number;
  /** Why the last attempt failed; undefined while it goes on. */
  readonly failure: string | undefined;
};

/** @param now milliseconds of a clock that only goes forward */
export function watchProgress(now: () => number): Progress {
  const attempts = new Map<string, Attempt>();
  const note = (key: string, { source, path }: Watched, offset: number, failure: string | undefined): void => {
    const before = attempts.get(key);
    const since = before?.offset === offset ? before.since : now();
    attempts.set(key, { source, path, offset, since, failure });
  };
  return {
    begin: (key, file, offset) => {
      note(key, file, offset, undefined);
    },
    end: (key) => {
      attempts.delete(key);
    },
    fail: (key, file, offset, error) => {
      note(key, file, offset, error instanceof Error ? error.message : String(error));
    },
    keepOnly: (present) => {
      for (const [key, { failure }] of attempts) if (failure !== undefined && !present.has(key)) attempts.delete(key);
    },
    standstills: (source) =>
      [...attempts.values()]
        .filter((each) => each.source === source && now() - each.since >= standstillMs)
        .sort((a, b) => a.since - b.since)
        .map((each) => ({ source, path: each.path, ms: now() - each.since, text: textOf(each) })),
  };
}

function textOf({ path, offset, failure }: Attempt): string {
  const why = failure === undefined ? 'reading it hangs' : `reading fails: ${failure}`;
  return `${path}: no progress for a minute or more at byte ${offset}; ${why}`;
}
