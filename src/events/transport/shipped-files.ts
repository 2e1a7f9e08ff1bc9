/** The log files whose lines shippers send: what log each is of, and which of its lines were taken. */
import type { ShippedLine } from '../../model/records.js';
import { keyOfShipped, type SessionChange, type ShippedFile, type ShippedLog } from '../../model/sessions.js';
import { merged, take, type Place } from './taken-lines.js';

export type ShippedFiles = {
  /** What log a file is of, as far as its lines have told. */
  readonly logOf: (server: string, line: ShippedLine) => ShippedLog | undefined;
  readonly noteLog: (server: string, line: ShippedLine, log: ShippedLog) => void;
  /** Notes that a line is taken. @returns false when it was taken before */
  readonly take: (server: string, line: ShippedLine, place: Place) => boolean;
  /** A fuller name of a server is known: its files go on under it. */
  readonly rename: (from: string, to: string) => void;
  readonly restore: (saved: ShippedFile) => void;
  /** Files changed since the last call. */
  readonly changes: () => SessionChange[];
};

/** A line of a file that is not known any more counts again when it is sent again. */
const mostFiles = 10_000;

/**
 * @param late told of each line that comes after a later one of its file
 * @param most files that are known; of more those used least recently are forgotten
 */
export function createShippedFiles(late: (path: string) => void, most = mostFiles): ShippedFiles {
  const files = new Map<string, ShippedFile>();
  const changed = new Set<string>();
  /** The one used last, which stands at the end. */
  let latest = '';

  const keep = (key: string, file: ShippedFile): void => {
    if (key !== latest) files.delete(key);
    latest = key;
    files.set(key, file);
    changed.add(key);
    for (const oldest of files.keys()) {
      if (files.size <= most) return;
      files.delete(oldest);
      changed.add(oldest);
    }
  };
  return {
    logOf: (server, line) => files.get(keyOf(server, line))?.log,
    noteLog: (server, line, log) => {
      const key = keyOf(server, line);
      const known = files.get(key) ?? fresh(server, line);
      if (known.log !== log) keep(key, { ...known, log });
    },
    take: (server, line, place) => {
      const key = keyOf(server, line);
      const known = files.get(key) ?? fresh(server, line);
      const taken = take(known.taken, place);
      if (!taken) return false;
      const last = taken.length === known.taken.length ? (known.taken.at(-1)?.runs.at(-2) ?? 0) : 0;
      if (place.offset < last) late(line.path);
      keep(key, { server, path: known.path, file: known.file, log: known.log, taken });
      return true;
    },
    rename: (from, to) => {
      for (const [key, file] of [...files]) {
        if (file.server !== from) continue;
        files.delete(key);
        changed.add(key);
        const renamed = keyOfShipped({ ...file, server: to });
        const same = files.get(renamed);
        keep(renamed, { ...file, server: to, taken: same ? merged(file.taken, same.taken) : file.taken });
      }
    },
    restore: (saved) => {
      files.set(keyOfShipped(saved), saved);
    },
    changes: () => {
      const changes = [...changed].map((key): SessionChange => {
        const file = files.get(key);
        return { key, json: file && JSON.stringify(file) };
      });
      changed.clear();
      return changes;
    },
  };
}

function fresh(server: string, { path, file }: ShippedLine): ShippedFile {
  return { server, path, file, log: undefined, taken: [] };
}

function keyOf(server: string, { path, file }: ShippedLine): string {
  return keyOfShipped({ server, path, file });
}
