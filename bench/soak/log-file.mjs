/** One log that is written to and rotated like a shipper's output: by a new name with the date in it, or by copy and truncation. */
import { copyFile, open, readdir, rename, rm, truncate } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { winlogbeatLine } from '../workload.mjs';

/** Rotated files that are kept. */
const kept = 3;
/**
 * Between the last write and the truncation. What is written between copy and truncation is lost for everybody, the file
 * itself included, so nothing is written then; and what no reader has seen yet is found in the copy.
 */
const restMs = 50;

/**
 * @param file path, for instance `/tmp/.../app3.ndjson`
 * @param way `rename` or `copytruncate`
 */
export async function createLogFile(file, way) {
  let handle = await open(file, 'a');
  let rotations = 0;
  let busy = Promise.resolve();

  const inTurn = (work) => {
    busy = busy.then(work);
    return busy;
  };

  const rotate = async () => {
    const dated = `${file}-${stampOf(Date.now())}-${++rotations}`;
    if (way === 'rename') {
      await handle.close();
      await rename(file, dated);
      handle = await open(file, 'a');
    } else {
      await pause(restMs);
      await copyFile(file, dated);
      await truncate(file, 0);
    }
    await deleteOld(file);
  };

  return {
    /** Events by number, one line each. */
    append: (events) => inTurn(() => handle.write(events.map(({ n, place }) => winlogbeatLine(n, place)).join(''))),
    rotate: () => inTurn(rotate),
    close: () => inTurn(() => handle.close()),
    rotations: () => rotations,
  };
}

function stampOf(ms) {
  return new Date(ms).toISOString().slice(0, 10).replaceAll('-', '');
}

async function deleteOld(file) {
  const folder = path.dirname(file);
  const numberOf = (name) => Number(name.slice(name.lastIndexOf('-') + 1));
  const rotated = (await readdir(folder)).filter((name) => name.startsWith(`${path.basename(file)}-`));
  rotated.sort((a, b) => numberOf(a) - numberOf(b));
  for (const name of rotated.slice(0, Math.max(0, rotated.length - kept))) await rm(path.join(folder, name));
}
