/** The books that are saved as what was noted in them since the last save, and replayed from it at a start. */
import * as z from 'zod';
import { createAvailability, type Availability } from './availability.js';
import { createErrorHours, type ErrorHoursBook } from './error-hours.js';
import { createNoteLog } from './note-log.js';
import { createRecentErrors, type RecentErrors } from './recent-errors.js';
import { createRelatedRing, type RelatedRing, savedRelatedEvent } from './related-ring.js';
import { secondOf, timesOf } from './record-seconds.js';
import type { SavedLedger } from './saved.js';
import { createSeenRecords, type SeenRecords } from './seen-records.js';
import { reasons } from '../model/words.js';
import type { Immutable } from '../runtime/immutable.js';

/** What was noted of each book between two saves. */
export const savedNotes = z.strictObject({
  /** Logs that records were seen of, and of each record the place of its log in that list, its ID and its second. */
  seenIn: z.array(z.tuple([z.string(), z.string()])).optional(),
  seen: z.array(z.tuple([z.int().min(0), z.int(), z.int().nullable()])).optional(),
  related: z.array(savedRelatedEvent).optional(),
  recent: z
    .array(
      z.strictObject({
        server: z.string(),
        connector: z.string(),
        destination: z.string(),
        reason: z.enum(reasons).optional(),
        at: z.number(),
      }),
    )
    .optional(),
  visits: z.array(z.strictObject({ destination: z.string(), at: z.number(), success: z.boolean() })).optional(),
  errors: z
    .array(z.strictObject({ connector: z.string(), reason: z.enum(reasons).optional(), at: z.number() }))
    .optional(),
});
export type SavedNotes = Immutable<z.infer<typeof savedNotes>>;

type Noted = 'seen' | 'related' | 'relatedCounts' | 'recent' | 'availability' | 'errorHours';

export type NotedBooks = {
  readonly seen: SeenRecords;
  readonly related: RelatedRing;
  readonly recent: RecentErrors;
  readonly availability: Availability;
  readonly errorHours: ErrorHoursBook;
  /** Whether any of them is to be saved as a whole. */
  readonly isOver: () => boolean;
  /** What was noted since it was asked before, and the books that are to be saved as a whole in place of it. */
  readonly take: () => { readonly notes: SavedNotes; readonly whole: readonly Noted[] };
};

/** Beyond so many notes between two saves a book is saved as a whole; each record that was seen is a note of its own. */
const mostNotes = 500;
const mostSeen = 10_000;

export function createNotedBooks(
  saved: SavedLedger | undefined,
  replayed: readonly SavedNotes[],
  now: () => number,
): NotedBooks {
  const books = {
    seen: createSeenRecords(saved?.seen ?? [], { now }),
    related: createRelatedRing({ events: saved?.related ?? [], counts: saved?.relatedCounts ?? [] }),
    recent: createRecentErrors(saved?.recent ?? []),
    availability: createAvailability(saved?.availability ?? [], now),
    errorHours: createErrorHours(saved?.errorHours ?? [], now),
  };
  // A partition or a file may have lagged, and does until its source says otherwise.
  books.seen.hold(saved?.checkpoints.some((each) => 'topicId' in each || 'inode' in each) ?? false);
  for (const notes of replayed) replay(books, notes);
  const [seen, related, recent] = [seenNoted(books.seen), relatedNoted(books.related), recentNoted(books.recent)];
  const visits = createNoteLog<NonNullable<SavedNotes['visits']>[number]>(mostNotes);
  const errors = createNoteLog<NonNullable<SavedNotes['errors']>[number]>(mostNotes);
  return {
    seen: seen.book,
    related: related.book,
    recent: recent.book,
    availability: {
      ...books.availability,
      note: (visit) => {
        const { destination, at, success } = visit;
        books.availability.note(visit);
        if (visit.reason !== 'blocked_by_policy') visits.add({ destination, at, success });
      },
    },
    errorHours: {
      ...books.errorHours,
      note: (connector, reason, at) => {
        books.errorHours.note(connector, reason, at);
        if (!errors.isOver()) errors.add({ connector, reason, at });
      },
    },
    isOver: () => [seen, related, recent, visits, errors].some((each) => each.isOver()),
    take: () => {
      const taken = {
        ...seen.take(),
        related: related.take(),
        recent: recent.take(),
        visits: visits.take(),
        errors: errors.take(),
      };
      const whole: Noted[] = [];
      if (!taken.seen) whole.push('seen');
      if (!taken.related) whole.push('related', 'relatedCounts');
      if (!taken.recent) whole.push('recent');
      if (!taken.visits) whole.push('availability');
      if (!taken.errors) whole.push('errorHours');
      return { notes: taken, whole };
    },
  };
}

type Books = Pick<NotedBooks, 'seen' | 'related' | 'recent' | 'availability' | 'errorHours'>;

function replay({ seen, related, recent, availability, errorHours }: Books, notes: SavedNotes): void {
  for (const [log, recordId, second] of notes.seen ?? []) {
    const [server, channel] = notes.seenIn?.[log] ?? ['', ''];
    seen.note({ server, channel, recordId, ...timesOf(second ?? Number.NaN) });
  }
  for (const event of notes.related ?? []) related.note(event as Parameters<typeof related.note>[0]);
  for (const { reason, ...error } of notes.recent ?? []) {
    const key = { server: error.server, channel: '', recordId: undefined, time: undefined };
    if (reason === undefined) recent.note({ kind: 'connection_error', key, ...error }, error.at);
    else recent.note({ kind: 'connection_failure', reason, ...error }, error.at);
  }
  for (const visit of notes.visits ?? []) availability.note({ ...visit, reason: undefined });
  for (const { connector, reason, at } of notes.errors ?? []) errorHours.note(connector, reason, at);
}

function seenNoted(book: SeenRecords) {
  const log =
    createNoteLog<readonly [server: string, channel: string, recordId: number, second: number | null]>(mostSeen);
  const noted: SeenRecords = {
    ...book,
    note: (key) => {
      const isNew = book.note(key);
      const { server, channel, recordId } = key;
      if (!isNew || log.isOver() || recordId === undefined || !Number.isSafeInteger(recordId)) return isNew;
      const second = secondOf(key);
      log.add([server, channel, recordId, Number.isNaN(second) ? null : second]);
      return isNew;
    },
    rename: (from, to) => {
      book.rename(from, to);
      log.rewrite();
    },
  };
  const take = (): Pick<SavedNotes, 'seen' | 'seenIn'> => {
    const places = new Map<string, number>();
    const seenIn: [string, string][] = [];
    const seen = log.take()?.map(([server, channel, recordId, second]): [number, number, number | null] => {
      const name = `${server}\n${channel}`;
      const place = places.get(name) ?? seenIn.length;
      if (place === seenIn.length) seenIn.push([server, channel]);
      places.set(name, place);
      return [place, recordId, second];
    });
    return { seenIn, seen };
  };
  return { book: noted, take, isOver: log.isOver };
}

function relatedNoted(book: RelatedRing) {
  const log = createNoteLog<NonNullable<SavedNotes['related']>[number]>(mostNotes);
  const noted: RelatedRing = {
    ...book,
    note: (event) => {
      book.note(event);
      log.add(event);
    },
    rename: (from, to) => {
      book.rename(from, to);
      log.rewrite();
    },
    forget: (count, told) => {
      book.forget(count, told);
      log.rewrite();
    },
  };
  return { book: noted, take: log.take, isOver: log.isOver };
}

function recentNoted(book: RecentErrors) {
  const log = createNoteLog<NonNullable<SavedNotes['recent']>[number]>(mostNotes);
  const noted: RecentErrors = {
    ...book,
    note: (evidence, readAt) => {
      const before = book.version();
      book.note(evidence, readAt);
      // What is of long ago was not taken.
      if (book.version() === before || log.isOver()) return;
      const { server, connector, destination, at = readAt } = evidence;
      const reason = evidence.kind === 'connection_failure' ? evidence.reason : undefined;
      log.add({ server, connector, destination, reason, at });
    },
    rename: (from, to) => {
      book.rename(from, to);
      log.rewrite();
    },
  };
  return { book: noted, take: log.take, isOver: log.isOver };
}
