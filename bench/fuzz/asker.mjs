/** A thread that asks for a page every so often and notes how long the answers take; nothing else of the run delays it. */
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker, workerData } from 'node:worker_threads';
import { cpuWaitMs } from './cpu-wait.mjs';

const [answers, slowest, slowestOwn, failures, askedAt, stop] = [0, 1, 2, 3, 4, 5];
const timeoutMs = 60_000;

/**
 * @returns `figures` at any time: answers, the slowest, and the slowest less the time for which the exporter and the
 *   asking thread waited for a processor (`own`), milliseconds
 */
export function startAsker({ url, pid, everyMs = 100 }) {
  const shared = new SharedArrayBuffer(6 * 8);
  const counts = new Float64Array(shared);
  const thread = new Worker(new URL(import.meta.url), { workerData: { asker: { url, pid, everyMs, shared } } });
  return {
    figures: () => ({
      answers: counts[answers],
      failures: counts[failures],
      slowestMs: counts[slowest],
      ownMs: counts[slowestOwn],
      // A question without an answer yet counts too: the exporter may be held for good.
      waitingMs: counts[askedAt] === 0 ? 0 : Date.now() - counts[askedAt],
    }),
    stop: async () => {
      counts[stop] = 1;
      await thread.terminate();
    },
  };
}

async function ask({ url, pid, everyMs, shared }) {
  const counts = new Float64Array(shared);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  while (counts[stop] === 0) {
    const [begun, waited, waitedThere] = [performance.now(), cpuWaitMs(), cpuWaitMs(pid)];
    counts[askedAt] = Date.now();
    const isAnswered = await answer(url, agent);
    const ms = performance.now() - begun;
    counts[askedAt] = 0;
    counts[isAnswered ? answers : failures] += 1;
    counts[slowest] = Math.max(counts[slowest], ms);
    const own = ms - (cpuWaitMs() - waited) - (cpuWaitMs(pid) - waitedThere);
    counts[slowestOwn] = Math.max(counts[slowestOwn], own);
    await pause(Math.max(0, everyMs - ms));
  }
}

function answer(url, agent) {
  return new Promise((resolve) => {
    const request = http.get(url, { agent, timeout: timeoutMs }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode === 200));
      response.once('error', () => resolve(false));
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });
}

if (workerData?.asker) await ask(workerData.asker);
