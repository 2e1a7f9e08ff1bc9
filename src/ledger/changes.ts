/** What one save says: parts of the ledger that have changed, entry by entry or as a whole, in one entry of the journal. */
import * as z from 'zod';
import type { Books } from './books.js';
import { listed } from './file.js';
import { savedNotes, type SavedNotes } from './noted-books.js';
import { keyOf } from './row.js';
import { sessionKeyOf } from './renames.js';
import { savedParts, type SavedLedger } from './saved.js';
import type { RowTexts } from './unsaved-rows.js';
import { keyOfCheckpoint } from '../model/checkpoint-key.js';
import type { Immutable } from '../runtime/immutable.js';

const { rows, checkpoints, sessions, logs } = savedParts;
const keys = z.array(z.string());

export const savedChange = z.strictObject({
  /** Milliseconds since 1970 UTC. */
  at: z.number(),
  /** Takes the place of these parts. */
  whole: z.strictObject(savedParts).partial().optional(),
  /** Goes first. */
  drop: z.strictObject({ rows: keys, checkpoints: keys, sessions: keys }).partial().optional(),
  put: z.strictObject({ rows, checkpoints, sessions, logs }).partial().optional(),
  /** How many logs are known; of more the first are forgotten. */
  logs: z.int().min(0).optional(),
  notes: savedNotes.optional(),
});
export type SavedChange = Omit<Immutable<z.infer<typeof savedChange>>, 'whole' | 'put'> & {
  readonly whole?: Partial<SavedLedger>;
  readonly put?: Partial<Pick<SavedLedger, 'rows' | 'checkpoints' | 'sessions' | 'logs'>>;
};

export type ChangeTaker = {
  /**
   * The JSON of what has changed since it was asked before, in pieces; to be called right after the rows were taken. Other
   * work is done while they are asked for.
   * @param rowTexts of the rows that were taken
   */
  readonly take: (now: number, rowTexts: RowTexts, forgotten: readonly string[]) => AsyncIterable<Buffer>;
};

export function createChangeTaker(books: Books): ChangeTaker {
  const { gaps, noted, servers } = books;
  const wholes = { scrapers: scraperTexts(books), missed: missedTexts(books) };
  let known = servers.known();
  let renames = servers.renames();
  let logTexts: ReadonlySet<string> = new Set(gaps.texts());
  return {
    take: (now, rowTexts, forgotten) => {
      const { notes, whole } = noted.take();
      const [kept, open] = [books.checkpoints.takeChanges(), books.sessions.takeChanges()];
      const texts = gaps.texts();
      const before = logTexts;
      logTexts = new Set(texts);
      const isRenamed = renames !== servers.renames();
      renames = servers.renames();
      const parts: [string, Iterable<string>][] = whole.map((name) => [name, wholeTexts(books)[name]()]);
      for (const [name, all] of [
        ['scrapers', scraperTexts(books)],
        ['missed', missedTexts(books)],
      ] as const) {
        if (wholes[name].join() !== all.join()) parts.push([name, (wholes[name] = all)]);
      }
      if (known !== servers.known())
        parts.push(['servers', (known = servers.known()).map((each) => JSON.stringify(each))]);
      if (isRenamed) parts.push(['logs', texts]);
      const newLogs = isRenamed ? [] : texts.filter((text) => !before.has(text));
      const lists = Object.entries({ checkpoints: kept.put, sessions: open.put, logs: newLogs })
        .filter(([, all]) => all.length > 0)
        .map(([name, all]): [string, Pieces] => [name, listPieces(all)]);
      return objectPieces([
        ['at', [String(now)]],
        ['whole', objectPieces(parts.map(([name, all]) => [name, listPieces(all)]))],
        ['drop', [JSON.stringify({ rows: forgotten, checkpoints: kept.drop, sessions: open.drop })]],
        ['put', objectPieces([['rows', rowPieces(rowTexts)], ...lists])],
        ['logs', [String(texts.length)]],
        ['notes', [JSON.stringify(notes)]],
      ]);
    },
  };
}

type Pieces = Iterable<string> | AsyncIterable<string | Buffer>;

async function* objectPieces(members: readonly (readonly [string, Pieces])[]): AsyncGenerator<Buffer> {
  let between = '{';
  for (const [name, pieces] of members) {
    yield Buffer.from(`${between}"${name}":`);
    for await (const piece of pieces) yield typeof piece === 'string' ? Buffer.from(piece) : piece;
    between = ',';
  }
  yield Buffer.from(between === ',' ? '}' : '{}');
}

async function* listPieces(texts: Iterable<string>): AsyncGenerator<string | Buffer> {
  yield '[';
  yield* listed(texts, ',');
  yield ']';
}

async function* rowPieces(rowTexts: RowTexts): AsyncGenerator<string> {
  let between = '[';
  for await (const texts of rowTexts) {
    if (texts.length === 0) continue;
    yield between + texts.join(',');
    between = ',';
  }
  yield between === ',' ? ']' : '[]';
}

/** The saved form of each book as it is now, as JSON texts that are made when they are asked for. */
function wholeTexts(books: Books) {
  const { availability, errorHours, recent, related, seen } = books;
  return {
    seen: seen.snapshot,
    related: related.snapshot,
    relatedCounts: () => related.counts().map((each) => JSON.stringify(each)),
    recent: recent.snapshot,
    availability: availability.snapshot,
    errorHours: errorHours.snapshot,
  };
}

export function scraperTexts({ scrapers }: Books): string[] {
  return scrapers.all().map((each) => JSON.stringify(each));
}

export function missedTexts({ gaps }: Books): string[] {
  return [...gaps.missed()].map(([source, records]) => JSON.stringify({ source, records }));
}

const nothing: SavedLedger = {
  rows: [],
  checkpoints: [],
  seen: [],
  scrapers: [],
  logs: [],
  missed: [],
  sessions: [],
  related: [],
  relatedCounts: [],
  recent: [],
  availability: [],
  errorHours: [],
  servers: [],
};

/** The ledger after these changes, and what is still to be noted in its books. */
export function withChanges(
  saved: SavedLedger | undefined,
  changes: readonly SavedChange[],
): { readonly saved: SavedLedger; readonly notes: readonly SavedNotes[] } {
  const ledger = { ...(saved ?? nothing) };
  const kept = {
    rows: new Map(ledger.rows.map((each) => [keyOf(each), each])),
    checkpoints: new Map(ledger.checkpoints.map((each) => [keyOfCheckpoint(each), each])),
    sessions: new Map(ledger.sessions.map((each) => [sessionKeyOf(each), each])),
  };
  let byLog = new Map(ledger.logs.map((each) => [logKey(each), each]));
  let notes: SavedNotes[] = [];
  for (const change of changes) {
    const { whole = {}, put = {}, drop = {} } = change;
    Object.assign(ledger, whole);
    if (whole.logs) byLog = new Map(whole.logs.map((each) => [logKey(each), each]));
    if (Object.keys(whole).length > 0) notes = notes.map((each) => without(each, whole));
    notes.push(change.notes ?? {});
    for (const part of ['rows', 'checkpoints', 'sessions'] as const)
      for (const key of drop[part] ?? []) kept[part].delete(key);
    for (const each of put.rows ?? []) kept.rows.set(keyOf(each), each);
    for (const each of put.checkpoints ?? []) kept.checkpoints.set(keyOfCheckpoint(each), each);
    for (const each of put.sessions ?? []) kept.sessions.set(sessionKeyOf(each), each);
    for (const each of put.logs ?? []) {
      byLog.delete(logKey(each));
      byLog.set(logKey(each), each);
    }
    for (const key of [...byLog.keys()].slice(0, Math.max(0, byLog.size - (change.logs ?? byLog.size))))
      byLog.delete(key);
  }
  const lists = {
    rows: [...kept.rows.values()],
    checkpoints: [...kept.checkpoints.values()],
    sessions: [...kept.sessions.values()],
    logs: [...byLog.values()],
  };
  return { saved: { ...ledger, ...lists }, notes };
}

function logKey({ server, channel }: { readonly server: string; readonly channel: string }): string {
  return `${server}\n${channel}`;
}

/** What was noted before a book was saved as a whole is in there. */
function without(notes: SavedNotes, whole: Partial<SavedLedger>): SavedNotes {
  return {
    ...notes,
    ...(whole.seen && { seen: undefined }),
    ...(whole.related && { related: undefined }),
    ...(whole.recent && { recent: undefined }),
    ...(whole.availability && { visits: undefined }),
    ...(whole.errorHours && { errors: undefined }),
  };
}
