/**
 * Keeps file operations that hang (a dead network mount) from taking all threads of Node: the ledger is saved, and
 * scrapes are compressed, by the same few threads.
 *
 * Nothing can call a hanging operation back; its thread is gone until the system answers. So operations that have been
 * slow to answer are counted, and beyond a bound no further one is begun, first of all where others hang already.
 */

/** An operation did not answer in time, or was not begun because others hang. */
export class FileHangs extends Error {
  constructor(message = 'the file system does not answer (a network mount that hangs?)') {
    super(message);
    this.name = 'FileHangs';
  }
}

/** Without an answer for so long an operation is taken for one that hangs. Milliseconds. */
const slowMs = 250;
/** Operations that may hang in one place: the second proves that it is the place and not the file. */
const slowInPlace = 2;

type Operation = { readonly place: string; readonly since: number };

export type FileGate = {
  /**
   * Begins an operation and waits for it without limit.
   * @param place where it is done: a device or a folder, whatever hangs as one
   * @throws FileHangs when it is not begun because others hang
   */
  readonly pass: <Result>(place: string, operation: () => Promise<Result>) => Promise<Result>;
  /** Operations that hang at present. */
  readonly hanging: () => number;
};

/** @param threads of the pool in which file operations run */
export function createFileGate(threads: number): FileGate {
  const running = new Set<Operation>();
  const slow = (): Operation[] => {
    const before = performance.now() - slowMs;
    return [...running].filter(({ since }) => since < before);
  };
  const isClosed = (place: string): boolean => {
    const hanging = slow();
    const here = hanging.filter((each) => each.place === place).length;
    // One thread is never given away; the last but one only where nothing hangs yet.
    return here >= slowInPlace || hanging.length >= threads - (here > 0 ? 2 : 1);
  };
  return {
    pass: async (place, operation) => {
      // After a moment in which this process did something else, answers may be there that nobody has looked at yet.
      if (running.size > 0 && isClosed(place)) await answersTaken();
      if (running.size > 0 && isClosed(place)) throw new FileHangs();
      const entry = { place, since: performance.now() };
      running.add(entry);
      try {
        return await operation();
      } finally {
        running.delete(entry);
      }
    },
    hanging: () => slow().length,
  };
}

/** Resolves when the event loop has taken what the system has answered. */
function answersTaken(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Node has four threads for files unless it was started with another number. */
const threads = Math.max(2, Number(process.env.UV_THREADPOOL_SIZE ?? 4) || 4);

/** One for the whole process, as the threads are. */
export const fileGate = createFileGate(threads);

/**
 * The result of an operation if it comes in time.
 * @param late is given a result that comes too late, to close what was opened
 * @throws FileHangs
 */
export async function inTime<Result>(
  operation: Promise<Result>,
  ms: number,
  late: (result: Result) => void = () => undefined,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  let isLate = false;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      isLate = true;
      reject(new FileHangs());
    }, ms);
  });
  operation.then(
    (result) => {
      if (isLate) late(result);
    },
    () => undefined,
  );
  try {
    return await Promise.race([operation, limit]);
  } finally {
    clearTimeout(timer);
  }
}
