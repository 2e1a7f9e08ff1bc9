/** What befalls files in a watched folder besides being written: truncation, other names, other kinds of file. */
import { execFile } from 'node:child_process';
import {
  appendFile,
  chmod,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** Files beyond these are deleted, oldest first. */
const mostFiles = 250;

/**
 * Does one thing to one file of the folder. A thing that cannot be done (the file is gone meanwhile) is left.
 * @returns what was done, in words
 */
export async function turnOneFile(random, folder, bytes) {
  const names = await readdir(folder);
  if (names.length === 0) return 'nothing';
  const file = path.join(folder, random.pick(names));
  const other = path.join(folder, random.pick(names));
  const writes = [
    () => truncate(file, random.int(5_000)),
    () => truncate(file, 0),
    () => appendFile(file, bytes),
    () => appendFile(file, bytes.subarray(0, random.int(bytes.length))),
    () => overwrite(file, bytes, random.int(5_000)),
    () => writeFile(file, bytes),
    // Not of what a link leads to: /dev/null belongs to the machine.
    () => chmod(file, random.pick([0o000, 0o444, 0o644])),
  ];
  const changes = [
    () => rename(file, `${file}.${random.int(1_000)}`),
    () => rename(file, other),
    () => rm(file, { recursive: true, force: true }),
    () => link(file, `${file}-again`),
    () => replace(file, () => mkdir(file)),
    () => replace(file, () => promisify(execFile)('mkfifo', [file])),
    () => replace(file, () => symlink(file, file)),
    () => replace(file, () => symlink(other, file)),
    () => replace(file, () => symlink(folder, file)),
    () => replace(file, () => symlink('/dev/zero', file)),
    () => replace(file, () => symlink('/dev/null', file)),
  ];
  // Who writes to a FIFO waits for its reader: that must not be this process.
  const isFile = await stat(file).then(
    (stats) => stats.isFile(),
    () => false,
  );
  const turn = random.pick(isFile ? [...writes, ...changes] : changes);
  const done = await turn().then(
    () => 'done',
    (error) => error.code,
  );
  return `${path.basename(file)} (${path.basename(other)}): ${String(turn).slice('() => '.length)}: ${done}`;
}

async function overwrite(file, bytes, at) {
  const handle = await open(file, 'r+');
  await handle.write(bytes, 0, bytes.length, at);
  await handle.close();
}

async function replace(file, make) {
  await rm(file, { recursive: true, force: true });
  await make();
}

/** Names begin with their number, so the oldest come first. */
export async function deleteOld(folder) {
  const names = (await readdir(folder)).sort();
  for (const name of names.slice(0, Math.max(0, names.length - mostFiles)))
    await rm(path.join(folder, name), { recursive: true, force: true });
}
