/** Limits the number of open files: quiet ones are closed, so that scrapes, saves and probes always get a descriptor. */
import { readFileSync } from 'node:fs';
import type { OpenFile } from './file-system.js';

/** A file that is open now and then. */
type Openable = {
  handle: OpenFile | undefined;
  /** Since when somebody works with it; it is not closed then. */
  workingSince: number | undefined;
};

export type Descriptors = {
  /** Notes that a file was opened or is used, and closes the one unused for longest when there are too many. */
  readonly use: (file: Openable) => void;
  /** Closes it, without waiting for the system. */
  readonly close: (file: Openable) => void;
  /** The system has none left: fewer files stay open from now on. */
  readonly exhausted: () => void;
  readonly open: () => number;
};

/** More open files than this make nothing faster. */
const mostOpen = 1_024;
const leastOpen = 4;

/** @param limit of the process */
export function createDescriptors(limit = descriptorLimit()): Descriptors {
  // Scrapers, saves, probes, DNS, programs and folders that are watched have five eighths and more.
  let most = Math.min(mostOpen, Math.max(leastOpen, Math.floor((limit * 3) / 8)));
  const open = new Set<Openable>();
  const close = (file: Openable): void => {
    open.delete(file);
    file.handle?.close().catch(() => undefined);
    file.handle = undefined;
  };
  const closeUnused = (): void => {
    for (const file of open) {
      if (open.size <= most) return;
      if (file.workingSince === undefined) close(file);
    }
  };
  return {
    use: (file) => {
      open.delete(file);
      open.add(file);
      closeUnused();
    },
    close,
    exhausted: () => {
      most = Math.max(leastOpen, Math.floor(open.size / 2));
      closeUnused();
    },
    open: () => open.size,
  };
}

/** As far as it can be told without asking another program. */
function descriptorLimit(): number {
  // The C library of Windows has room for 8,192 files.
  if (process.platform === 'win32') return 8_192;
  try {
    const match = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return Number(match?.[1] ?? 256);
  } catch {
    // The least that any system gives.
    return 256;
  }
}
