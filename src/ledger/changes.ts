/** What one save says: parts of the ledger that have changed, entry by entry or as a whole, in one entry of the journal. */
import * as z from 'zod';
import type { Books } from './books.js';
import { savedNotes, type SavedNotes } from './noted-books.js';
import { keyOf } from './row.js';
import { sessionKeyOf } from './renames.js';
import { savedTextOf } from './row-text.js';
import { savedParts, type SavedLedger } from './saved.js';
import type { TakenRows } from './unsaved-rows.js';
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
  /** The JSON of what has changed since it was asked before; to be called right after the rows were taken. */
  readonly take: (now: number, rows: TakenRows) => string;
};

export function createChangeTaker(books: Books): ChangeTaker {
  const { gaps, noted, servers } = books;
  const wholes = { scrapers: listed(scraperTexts(books)), missed: listed(missedTexts(books)) };
  let known = servers.known();
  let renames = servers.renames();
  let logTexts: ReadonlySet<string> = new Set(gaps.texts());
  return {
    take: (now, { saves, forgotten }) => {
      const { notes, whole } = noted.take();
      const [kept, open] = [books.checkpoints.takeChanges(), books.sessions.takeChanges()];
      const texts = gaps.texts();
      const before = logTexts;
      logTexts = new Set(texts);
      const isRenamed = renames !== servers.renames();
      renames = servers.renames();
      const parts: [string, string][] = whole.map((name) => [name, listed(wholeTexts(books)[name]())]);
      for (const [name, text] of [
        ['scrapers', listed(scraperTexts(books))],
        ['missed', listed(missedTexts(books))],
      ] as const) {
        if (wholes[name] !== text) parts.push([name, (wholes[name] = text)]);
      }
      if (known !== servers.known())
        parts.push(['servers', listed((known = servers.known()).map((each) => JSON.stringify(each)))]);
      if (isRenamed) parts.push(['logs', listed(texts)]);
      const put = {
        rows: listed(saves.map(({ row }) => savedTextOf(row))),
        checkpoints: listed(kept.put),
        sessions: listed(open.put),
        logs: listed(isRenamed ? [] : texts.filter((text) => !before.has(text))),
      };
      const drop = { rows: forgotten, checkpoints: kept.drop, sessions: open.drop };
      return object([
        ['at', String(now)],
        ['whole', object(parts)],
        ['drop', JSON.stringify(drop)],
        ['put', object(Object.entries(put).filter(([, list]) => list !== '[]'))],
        ['logs', String(texts.length)],
        ['notes', JSON.stringify(notes)],
      ]);
    },
  };
}

/** The saved form of each book, as JSON texts. */
function wholeTexts(books: Books) {
  const { availability, errorHours, recent, related, seen } = books;
  return {
    seen: seen.texts,
    related: related.texts,
    relatedCounts: () => related.counts().map((each) => JSON.stringify(each)),
    recent: recent.texts,
    availability: availability.texts,
    errorHours: errorHours.texts,
  };
}

export function scraperTexts({ scrapers }: Books): string[] {
  return scrapers.all().map((each) => JSON.stringify(each));
}

export function missedTexts({ gaps }: Books): string[] {
  return [...gaps.missed()].map(([source, records]) => JSON.stringify({ source, records }));
}

function listed(texts: Iterable<string>): string {
  return `[${[...texts].join(',')}]`;
}

function object(members: readonly (readonly [string, string])[]): string {
  return `{${members.map(([name, json]) => `"${name}":${json}`).join(',')}}`;
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
