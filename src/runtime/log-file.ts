/** The log in a file that is rotated by its size, for a service, which has no terminal. */
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';

export type LogFileOptions = {
  /** Bytes from which the file is rotated. */
  readonly largest: number;
  /** Files kept besides the one that is written: `name.1` is the newest of them. */
  readonly kept: number;
};

export type LogFile = {
  /** Takes a finished line. It is written before the call returns; what the disk does not take is lost. */
  readonly write: (line: string) => void;
  readonly close: () => void;
};

/** @throws when the folder cannot be made or the file cannot be opened */
export function openLogFile(file: string, { largest, kept }: LogFileOptions): LogFile {
  mkdirSync(path.dirname(file), { recursive: true });
  let descriptor: number | undefined = openSync(file, 'a');
  let size = fstatSync(descriptor).size;
  let rotateAt = largest;
  const rotate = (): void => {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
    const moved = moveUp(file, kept);
    descriptor = openSync(file, 'a');
    size = fstatSync(descriptor).size;
    // Another program holds a file: the same one is written on, and it is tried again a tenth later.
    rotateAt = moved ? largest : size + largest / 10;
  };
  return {
    write: (line) => {
      try {
        if (size >= rotateAt || descriptor === undefined) rotate();
        if (descriptor !== undefined) size += writeSync(descriptor, line);
      } catch {
        // A full disk must not end the exporter; its pages and metrics say what is wrong.
      }
    },
    close: () => {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

/** `name` becomes `name.1`, that `name.2` and so on; the oldest is overwritten. @returns false when one is held */
function moveUp(file: string, kept: number): boolean {
  try {
    for (let number = kept - 1; number >= 1; number--) {
      if (existsSync(`${file}.${number}`)) renameSync(`${file}.${number}`, `${file}.${number + 1}`);
    }
    renameSync(file, `${file}.1`);
    return true;
  } catch {
    return false;
  }
}
