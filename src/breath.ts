/** Long work in short strokes, so that reads, probes and other answers are never late. */

/** Work is laid down after this long. */
const holdMs = 8;

/** @returns a function to await between two strokes of work: it lets others go first when it is time */
export function createBreath(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < holdMs) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        since = performance.now();
        resolve();
      });
    });
  };
}
