/** Writes events into rotating files, many at first and then at a steady rate, and remembers how many of each pair it wrote. */
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createLogFile } from './log-file.mjs';

const tickMs = 50;
/** Each file is rotated about this often, never two at the same moment. */
const rotateEveryMs = 30_000;
const servers = 4;
const connectors = 5;

/**
 * @param atOnce events written before anything else
 * @param destinations a pair for each of them with one of the connectors, on one of the servers
 * @returns counts written by pair, `server connector destination`
 */
export async function startWriters({ folder, files, atOnce, perSecond, destinations }) {
  const logs = await Promise.all(
    Array.from({ length: files }, (_, n) =>
      createLogFile(path.join(folder, `app${n}.ndjson`), n % 2 === 0 ? 'rename' : 'copytruncate'),
    ),
  );
  const written = new Map();
  let [next, stopped] = [0, false];

  const eventOf = (n) => {
    const which = n % destinations.length;
    const place = {
      server: `exch0${which % servers}.contoso.example`,
      connector: `Outbound ${which % connectors}`,
      destination: destinations[which],
      at: Date.now(),
    };
    const pair = pairOf(place);
    written.set(pair, (written.get(pair) ?? 0) + 1);
    return { n, place };
  };

  const append = (count) =>
    Promise.all(
      partsOf(count, files).map((part, file) => logs[file].append(Array.from({ length: part }, () => eventOf(next++)))),
    );
  for (let left = atOnce; left > 0; left -= 10_000) await append(Math.min(left, 10_000));

  const running = (async () => {
    const begun = performance.now();
    let turned = 0;
    while (!stopped) {
      const due = Math.floor(((performance.now() - begun) * perSecond) / 1000) - (next - atOnce);
      await append(due);
      for (; turned < ((performance.now() - begun) / rotateEveryMs) * files; turned++)
        void logs[turned % files].rotate();
      await pause(tickMs);
    }
    await Promise.all(logs.map((log) => log.close()));
  })();

  return {
    written: () => next,
    byPair: () => written,
    rotations: () => logs.reduce((sum, log) => sum + log.rotations(), 0),
    stop: async () => {
      stopped = true;
      await running;
    },
  };
}

/** So many to each file, as evenly as it goes. */
function partsOf(count, files) {
  return Array.from({ length: files }, (_, file) => Math.floor((count + file) / files));
}

export function pairOf({ server, connector, destination }) {
  return `${server} ${connector} ${destination}`;
}
