/**
 * What has been counted and how far each file is read: entered together, saved together, then published.
 *
 * Invariant 1: nothing is shown before it is saved. If a scrape showed 105, the process died and came back with the
 * saved 97, Prometheus would take the fall for a reset and add the whole value again. So readers enter, a save writes
 * what was entered until then, and only after its rename are those values visible.
 */
import path from 'node:path';
import type { Availability } from './availability.js';
import { createBooks, expectRows, type Books } from './books.js';
import type { Folded } from './bounds.js';
import { createEntering, type Entering } from './entering.js';
import type { ErrorHoursBook } from './error-hours.js';
import { lockStateFolder } from './folder-lock.js';
import type { RelatedCount } from './related-ring.js';
import type { FileOperations } from './replace-file.js';
import type { RowName } from './row.js';
import { createSaver, lazySaveMs, type BatchContent, type Saver, type Saving } from './saver.js';
import { createLedgerSave, type LedgerSave } from './saving.js';
import { scrape, type Scrape } from './scrape.js';
import type { Scraper } from './scrapers.js';
import type { DeclaredName } from './server-names.js';
import { openSaved, type Opened } from './open-saved.js';
import { createStateFolder, type StateFolder } from './state-folder.js';
import type { Tally } from './tallies.js';
import type { Batch, Checkpoint, LedgerRow } from '../model/batch.js';
import type { RecentError, RelatedEvent } from '../model/evidence.js';
import type { JoinState } from '../model/sessions.js';
import { makeFolder } from '../runtime/make-folder.js';
import { isCredible } from '../runtime/noted-time.js';

export type LedgerOptions = {
  /** State folder; made when it is missing. */
  readonly directory: string;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** A clock that only goes forward, milliseconds; by default `now`, which must then be one. */
  readonly steady?: () => number;
  /** Destinations shown by name, of each Send connector. */
  readonly limit?: number;
  /** A destination without errors for this long is no longer shown; its count is kept. Milliseconds. */
  readonly forgetAfterMs?: number;
  /** Silent destinations whose counts are kept. */
  readonly maxDormant?: number;
  /** True while the first read of a source goes on: what it finds is shown in one piece, when it is complete. */
  readonly readingHistory?: () => boolean;
  readonly operations?: FileOperations;
  /** Told of every row whenever its published value changes, saved rows at the start included. */
  readonly onPublished?: (row: LedgerRow) => void;
  /** Told when what stood under a short name of a server stands under its full one from now on. */
  readonly onServerRenamed?: (short: string, full: string) => void;
  /** Told once when saving fails, and once when it works again. */
  readonly onSaving?: (failing: string | undefined) => void;
  /** Told what was deleted under the ledger, before it is made again. */
  readonly onFolderLost?: (what: string) => void;
};

export type Ledger = {
  /** Published rows: never more than what is safely on disk. */
  readonly rows: () => readonly LedgerRow[];
  /** Notes that a scraper asks: new series wait for it once it has read a whole answer. */
  readonly asks: (scraper: string) => void;
  /** To be awaited before a scrape: what was entered by now is saved, unless that takes longer than a moment. */
  readonly hurried: () => Promise<void>;
  /** Published rows as scrapers see them: a new one at its previous value until every active scraper has read it. */
  readonly scrape: () => Scrape;
  /** Who has read the metrics, and when last. */
  readonly scrapers: () => readonly Scraper[];
  readonly checkpoints: () => readonly Checkpoint[];
  /** Drops checkpoints of files that have been gone for long. */
  readonly forget: (checkpoints: readonly Checkpoint[]) => void;
  /** Sessions of the transport logs that are open after all that was entered. */
  readonly sessions: () => readonly JoinState[];
  readonly tallies: () => ReadonlyMap<string, Tally>;
  /** Missing records by source, as saved. */
  readonly missed: () => ReadonlyMap<string, number>;
  readonly folded: () => Folded;
  /** Errors of destinations that are no longer shown, for totals over a connector: those never fall. */
  readonly dormantErrors: (connector: string) => number;
  /** How many destinations had their last error so long ago that they are no longer shown. */
  readonly silentDestinations: () => number;
  /** Related events by number, as scrapers are shown them: a new one at zero until all have seen it. */
  readonly relatedCounts: () => readonly RelatedCount[];
  /** The last related events of each server, and the errors of the last day, as saved. */
  readonly related: () => readonly RelatedEvent[];
  readonly recent: () => readonly RecentError[];
  /** Notes whether a visit passed; saved with the next save, a minute later at most. */
  readonly visited: Availability['note'];
  /** Shares of the visits that passed, and the last outages. No counter that a scraper sees: shown before it is saved. */
  readonly availability: Availability['of'];
  /** Errors of a connector by reason and hour, for a week. */
  readonly errorHours: ErrorHoursBook['of'];
  readonly saving: () => Saving & Pick<Opened, 'movedAside' | 'startedOver'>;
  /** The time of a record read within the last hour that stands in the future: the clocks differ. Milliseconds. */
  readonly aheadAt: () => number | undefined;
  /**
   * Shows these at zero before their first evidence, in place of those named before: the first error is then an increase.
   * Not while history is read, for it is no news (invariant 13).
   */
  readonly expect: (rows: readonly RowName[]) => void;
  /** The one name of a server, by any of its names. */
  readonly nameOfServer: (name: string) => string;
  /**
   * Notes names of servers that others than records tell, and which short names stand for which full ones, in place of what
   * was said of that before. All in lower case.
   */
  readonly knowServers: (names: readonly string[], declared: readonly DeclaredName[]) => void;
  /** Enters a batch. Resolves when reading may go on: at once as a rule, later when saving lags or fails. */
  readonly post: (batch: Batch) => Promise<void>;
  /** Resolves when all that was entered by now is on disk, for senders that are told so. @throws when it ends unsaved */
  readonly saved: () => Promise<void>;
  /** Saves what was entered and ends. */
  readonly close: () => Promise<void>;
};

/** Whether visits passed is saved within this time: a crash takes back a minute of it at most. */
const visitsSavedMs = 60_000;
const folderLookMs = 5_000;

/**
 * Opens the ledger of a state folder. A damaged or foreign file is moved aside, never replaced by zeros in silence.
 * @throws LedgerFileError for a file of a newer version; an error that names the process when another exporter uses the
 * folder; the error of the system when the folder cannot be used
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const file = path.join(options.directory, 'ledger.json');
  await makeFolder(options.directory).catch((error: unknown) => {
    const why = `${options.directory}: the state folder cannot be made: ${(error as Error).message}`;
    throw new Error(`${why}; name another one with --state.directory`, { cause: error });
  });
  const lock = await lockStateFolder(options.directory);
  const opened = await openSaved(file, options.now()).catch(async (error: unknown) => {
    await lock.release();
    throw error;
  });
  const { movedAside, startedOver } = opened;
  const clocks = { now: options.now, steady: options.steady ?? options.now };
  const saver: Saver = createSaver({
    clocks,
    save: (taken) => ledgerSave.save(taken),
    finish: () => ledgerSave.finish(),
    dueAt: () => books.gaps.dueAt(),
    onSaving: options.onSaving,
  });
  const saveNow = (): void => {
    saver.saveWithin(0);
  };
  const books = createBooks(opened, { ...options, clocks, saveNow });
  const folder = createStateFolder(file, lock, options.onFolderLost);
  const ledgerSave = createLedgerSave(books, { ...options, file, folder, opened });
  saver.start();
  const watch = setInterval(() => void lookAfter(folder, ledgerSave, saver), folderLookMs).unref();
  return {
    ...shown(books, ledgerSave, saver, options.now),
    ...told(books, createEntering(books, clocks), saver),
    saving: () => ({ ...saver.saving(), movedAside, startedOver }),
    close: async () => {
      clearInterval(watch);
      await saver.close();
      await lock.release();
    },
  };
}

/** What was deleted under us is saved again, also when nothing is read; what may not be written is found out. */
async function lookAfter(folder: StateFolder, ledgerSave: LedgerSave, saver: Saver): Promise<void> {
  const isSaved = saver.saving().saved > 0;
  if (!(await folder.isWhole()) || (isSaved && !(await ledgerSave.isWhole()))) saver.saveWithin(0);
}

function shown(books: Books, { missed }: LedgerSave, saver: Saver, now: () => number) {
  const { rows, scrapers, happenings } = books;
  return {
    rows: () => {
      rows.publish();
      rows.sweep();
      const published: LedgerRow[] = [];
      for (const row of rows.all()) if (row.published) published.push(row.published);
      return published;
    },
    asks: scrapers.asks,
    hurried: saver.hurried,
    scrape: () => scrape(books, saver),
    scrapers: scrapers.all,
    checkpoints: books.checkpoints.all,
    sessions: books.sessions.all,
    tallies: books.tallies.all,
    missed,
    folded: rows.folded,
    dormantErrors: rows.dormantErrors,
    silentDestinations: rows.silentDestinations,
    relatedCounts: happenings.counts,
    related: happenings.related,
    recent: () => happenings.recent().filter(({ at }) => isCredible(at, now())),
    availability: books.availability.of,
    errorHours: books.errorHours.of,
    nameOfServer: books.servers.nameOf,
  } satisfies Partial<Ledger>;
}

function told(books: Books, entering: Entering, saver: Saver) {
  const { checkpoints, servers } = books;
  return {
    aheadAt: entering.aheadAt,
    saved: saver.saved,
    post: (batch) => {
      const isPlace = batch.checkpoint !== undefined && !checkpoints.has(batch.checkpoint);
      const news = entering.enter(batch);
      return saver.entered(isPlace ? 'place' : contentOf(batch, news));
    },
    forget: (gone) => {
      for (const each of gone) checkpoints.forget(each);
    },
    visited: (visit) => {
      books.availability.note(visit);
      saver.saveWithin(visitsSavedMs);
    },
    expect: (rows) => {
      expectRows(books, rows);
    },
    knowServers: (names, declared) => {
      const before = servers.known();
      servers.declare(declared);
      servers.learn(new Set(names));
      // A restart needs what the inventory said also when nothing is counted meanwhile.
      if (servers.known() !== before) saver.saveWithin(lazySaveMs);
    },
  } satisfies Partial<Ledger>;
}

function contentOf({ history, checkpoint }: Batch, news: boolean): BatchContent {
  if (!news) return 'nothing';
  const goesOn = checkpoint !== undefined && 'history' in checkpoint && checkpoint.history;
  return history && goesOn ? 'history' : 'news';
}
