/** Opens what is saved of the ledger. A damaged or foreign file is moved aside, never replaced by zeros in silence. */
import { rename } from 'node:fs/promises';
import { loadLedgerFile } from './file.js';
import { LedgerFileError, type SavedLedger } from './saved.js';

export type Opened = {
  /** Undefined when nothing is saved. */
  readonly saved: SavedLedger | undefined;
  /** What was wrong with a damaged file, and where it was moved to. */
  readonly movedAside: string | undefined;
};

/**
 * @param now milliseconds since 1970 UTC; it is part of the name of what is moved aside
 * @throws LedgerFileError for a file of a newer version; the error of the system when it cannot be read
 */
export async function openSaved(file: string, now: number): Promise<Opened> {
  try {
    return { saved: await loadLedgerFile(file), movedAside: undefined };
  } catch (error) {
    if (!(error instanceof LedgerFileError) || error.kind !== 'damaged') throw error;
    const aside = `${file}.damaged-${new Date(now).toISOString().replace(/[:.]/g, '')}`;
    await rename(file, aside);
    return { saved: undefined, movedAside: `${error.message}; moved to ${aside}` };
  }
}
