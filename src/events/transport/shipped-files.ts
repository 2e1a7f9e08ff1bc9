/** The log files whose lines shippers send: what log each is of, and which of its lines were taken. */
import type { ShippedLine } from '../../model/records.js';
import { keyOfShipped, type SessionChange, type ShippedFile, type ShippedLog } from '../../model/sessions.js';
import { isEarlier, merged, take, type Place } from './taken-lines.js';

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
  const files = createFileIndex();
  const changed = new Set<string>();
  /** The one used last, which stands at the end. */
  let latest = '';

  /** Whether it was taken while the shipper said otherwise which file it is: another version of it, or another inode. */
  const wasTaken = (key: string, file: ShippedFile, place: Place): boolean => {
    for (const other of files.ofPath(file))
      if (other !== key && isEarlier(files.get(other)?.taken ?? [], place)) return true;
    return false;
  };
  const keep = (key: string, file: ShippedFile): void => {
    if (key !== latest) files.remove(key);
    latest = key;
    files.put(key, file);
    changed.add(key);
    for (const oldest of files.keys()) {
      if (files.size() <= most) return;
      files.remove(oldest);
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
      if (!taken || wasTaken(key, known, place)) return false;
      const last = taken.length === known.taken.length ? (known.taken.at(-1)?.runs.at(-2) ?? 0) : 0;
      if (place.offset < last) late(line.path);
      keep(key, { server, path: known.path, file: known.file, log: known.log, taken });
      return true;
    },
    rename: (from, to) => {
      for (const [key, file] of [...files.all()]) {
        if (file.server !== from) continue;
        files.remove(key);
        changed.add(key);
        const renamed = keyOfShipped({ ...file, server: to });
        const same = files.get(renamed);
        keep(renamed, { ...file, server: to, taken: same ? merged(file.taken, same.taken) : file.taken });
      }
    },
    restore: (saved) => {
      files.put(keyOfShipped(saved), saved);
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

/** Files by their keys, the one put in last at the end, and those of the same path by what the shipper says besides. */
function createFileIndex() {
  const files = new Map<string, ShippedFile>();
  const byPath = new Map<string, Set<string>>();
  return {
    get: (key: string) => files.get(key),
    keys: () => files.keys(),
    all: () => files.entries(),
    size: () => files.size,
    ofPath: (file: ShippedFile): Iterable<string> => byPath.get(pathOf(file)) ?? [],
    put: (key: string, file: ShippedFile): void => {
      files.set(key, file);
      const path = pathOf(file);
      const same = byPath.get(path);
      if (same) same.add(key);
      else byPath.set(path, new Set([key]));
    },
    remove: (key: string): void => {
      const file = files.get(key);
      if (!file) return;
      files.delete(key);
      const same = byPath.get(pathOf(file));
      same?.delete(key);
      if (same?.size === 0) byPath.delete(pathOf(file));
    },
  };
}

function fresh(server: string, { path, file }: ShippedLine): ShippedFile {
  return { server, path, file, log: undefined, taken: [] };
}

function pathOf({ server, path }: ShippedFile): string {
  return `${server}\n${path}`;
}

function keyOf(server: string, { path, file }: ShippedLine): string {
  return keyOfShipped({ server, path, file });
}
