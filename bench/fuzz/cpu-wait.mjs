/** How long a thread was ready to run and had no processor: on a busy machine this is not the time that its work takes. */
import { readFileSync } from 'node:fs';

/**
 * @param task `self` of this process or a process ID for its main thread; by default the thread that asks
 * @returns milliseconds; 0 where the system does not tell
 */
export function cpuWaitMs(task = 'thread-self') {
  return taskTimes(task).waitMs;
}

/** Milliseconds on a processor and waiting for one; 0 where the system does not tell or the thread has ended. */
export function taskTimes(task) {
  try {
    const [cpu, wait] = readFileSync(`/proc/${task}/schedstat`, 'utf8').split(' ');
    return { cpuMs: Number(cpu) / 1e6, waitMs: Number(wait) / 1e6 };
  } catch {
    return { cpuMs: 0, waitMs: 0 };
  }
}

/** What `work` takes, less the waiting for a processor. @returns milliseconds and what it came to */
export async function measured(work) {
  const [begun, waited] = [performance.now(), cpuWaitMs()];
  const result = await work();
  return { ms: Math.max(0, performance.now() - begun - (cpuWaitMs() - waited)), result };
}
