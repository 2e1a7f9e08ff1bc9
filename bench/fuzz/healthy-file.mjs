/** A log that grows all the time beside those that are spoilt, and whose events are known by number. */
import { open } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { winlogbeatLine } from '../workload.mjs';

const server = 'healthy.fuzz.example';
const destinations = 5;
const everyMs = 50;

/** Appends two events every so often, at times one in two writes, until stopped. */
export async function startHealthyFile(file) {
  const handle = await open(file, 'a');
  let [written, isPaused, isStopped] = [0, false, false];
  const run = async () => {
    while (!isStopped) {
      if (!isPaused) {
        const lines = lineOf(written) + lineOf(written + 1);
        const cut = written % 3 === 0 ? Math.floor(lines.length / 2) : lines.length;
        // Half a record stands at the end for a moment.
        await handle.write(lines.slice(0, cut));
        await pause(cut < lines.length ? everyMs / 5 : 0);
        await handle.write(lines.slice(cut));
        written += 2;
      }
      await pause(everyMs);
    }
  };
  const running = run();
  return {
    /** Stops the writing and waits until whole records stand there. @returns events written */
    rest: async () => {
      isPaused = true;
      await pause(2 * everyMs);
      return written;
    },
    go: () => {
      isPaused = false;
    },
    stop: async () => {
      isStopped = true;
      await running;
      await handle.close();
    },
  };
}

function lineOf(n) {
  const destination = `203.0.113.${n % destinations}:25`;
  return winlogbeatLine(n, { server, connector: 'Healthy', destination, at: Date.now() });
}

/** The errors of the file on a page. @param values by series */
export function healthyCount(values) {
  let count = 0;
  for (const [series, value] of values) {
    if (series.startsWith('exchange_send_connector_connection_errors_total{') && series.includes(`server="${server}"`))
      count += value;
  }
  return count;
}
