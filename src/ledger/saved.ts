/** The schema of the saved ledger: anything else is rejected with its path. */
import * as z from 'zod';
import type { Checkpoint, LedgerRow } from '../model/batch.js';
import type { RecentError, RelatedEvent } from '../model/evidence.js';
import { type JoinState, shippedLogs, talkSteps } from '../model/sessions.js';
import { type Reason, reasons } from '../model/words.js';
import { type SavedAvailability, savedAvailability } from './availability.js';
import { savedCheckpoint } from './checkpoint-book.js';
import { type SavedErrorHours, savedErrorHours } from './error-hours.js';
import { type SavedLog, savedLog } from './log-numbering.js';
import { savedRecentError } from './recent-errors.js';
import { type RelatedCount, savedRelatedCount, savedRelatedEvent } from './related-ring.js';
import type { OfType } from './same-type.js';
import { type Scraper, savedScraper } from './scrapers.js';
import { type SavedRecords, savedRecords } from './seen-records.js';
import { type KnownServer, savedServer } from './server-names.js';

/** One counter of a row, which is a series: the failures have one for each reason. */
export type Counter = 'errors' | 'attempts' | Reason;

/** A row as saved, with the counters that scrapers have yet to read at a previous value. */
export type SavedRow = LedgerRow & {
  readonly shown?: Readonly<Partial<Record<Counter, number>>> | undefined;
  /** What scrapers are to see in its place first, under the names that its server had before. */
  readonly former?: readonly LedgerRow[] | undefined;
  /** How much of its counters scrapers were told under another name of its server. */
  readonly toldElsewhere?: Readonly<Partial<Record<Counter, number>>> | undefined;
};

/** What is saved, in one file, in one rename: counts and checkpoints cannot disagree (invariant 2). */
export type SavedLedger = {
  readonly rows: readonly SavedRow[];
  readonly checkpoints: readonly Checkpoint[];
  readonly seen: readonly SavedRecords[];
  readonly scrapers: readonly Scraper[];
  /** What is known of the record IDs of each log, and how many records each source has missed. */
  readonly logs: readonly SavedLog[];
  readonly missed: readonly { readonly source: string; readonly records: number }[];
  /** Sessions of the transport logs that are not over, and what is known of these logs and of their shipped files. */
  readonly sessions: readonly JoinState[];
  /** Related events by number and the last of each server, and the errors of the last day. */
  readonly related: readonly RelatedEvent[];
  readonly relatedCounts: readonly RelatedCount[];
  readonly recent: readonly RecentError[];
  /** How many visits of each destination passed, and its last outages. */
  readonly availability: readonly SavedAvailability[];
  /** Errors of each connector by reason and hour. */
  readonly errorHours: readonly SavedErrorHours[];
  /** Full names of servers, and the short ones that were declared to stand for them. */
  readonly servers: readonly KnownServer[];
};

type SavedFile = SavedLedger & {
  readonly version: 1 | 2;
  readonly savedAt: string;
  readonly journal?: string | undefined;
};

/** The file cannot be used as it is; the message says why and what to do. */
export class LedgerFileError extends Error {
  constructor(
    readonly kind: 'damaged' | 'newer',
    message: string,
  ) {
    super(message);
    this.name = 'LedgerFileError';
  }
}

const time = z.number().optional();

const reason = z.enum(reasons);

const session = z.strictObject({
  server: z.string(),
  session: z.string(),
  touchedAt: z.number(),
  teller: z.enum(['send', 'connectivity']).optional(),
  connector: z.string().optional(),
  remotes: z.array(z.string()).optional(),
  talk: z
    .strictObject({
      destination: z.string(),
      step: z.enum(talkSteps),
      suspect: reason.optional(),
      about: z.string().optional(),
      proxied: z.string().optional(),
    })
    .optional(),
  delivery: z.string().optional(),
  proxyFor: z.string().optional(),
  nextHop: z.string().optional(),
  resolved: z.string().optional(),
  waiting: z
    .array(
      z.strictObject({
        destination: z.string(),
        portKnown: z.boolean(),
        attempt: z.boolean(),
        reason: reason.optional(),
        host: z.string().optional(),
        at: time,
        history: z.boolean().optional(),
      }),
    )
    .optional(),
  waitingSince: time,
});

const serverLogs = z.strictObject({
  server: z.string(),
  from: time,
  until: time,
  connectors: z.array(
    z.strictObject({
      delivery: z.string(),
      name: z.string().optional(),
      port: z.int().optional(),
      unnamed: z.boolean().optional(),
    }),
  ),
});

const shippedFile = z.strictObject({
  server: z.string(),
  path: z.string(),
  file: z.string(),
  log: z.enum(shippedLogs).optional(),
  taken: z.array(z.strictObject({ until: time, runs: z.array(z.int().min(0)) })),
});

const row = z.strictObject({
  server: z.string(),
  connector: z.string(),
  destination: z.string(),
  errors: z.int().min(0),
  // A ledger written before the transport logs were read has none of them.
  attempts: z.int().min(0).default(0),
  failures: z.partialRecord(z.enum(reasons), z.int().min(0)).default({}),
  lastErrorAt: time,
  lastObservedAt: time,
  lastAttemptAt: time,
  host: z.string().optional(),
});

const counters = z.partialRecord(z.enum(['errors', 'attempts', ...reasons]), z.int().min(0)).optional();

const savedRow = row.extend({ shown: counters, toldElsewhere: counters, former: z.array(row).optional() });

/** The parts of a ledger, each a list. */
export const savedParts = {
  rows: z.array(savedRow),
  checkpoints: z.array(savedCheckpoint),
  seen: z.array(savedRecords),
  scrapers: z.array(savedScraper),
  logs: z.array(savedLog),
  missed: z.array(z.strictObject({ source: z.string(), records: z.int().min(0) })),
  sessions: z.array(z.union([session, serverLogs, shippedFile])),
  related: z.array(savedRelatedEvent),
  relatedCounts: z.array(savedRelatedCount),
  recent: z.array(savedRecentError),
  availability: z.array(savedAvailability),
  errorHours: z.array(savedErrorHours),
  servers: z.array(savedServer),
};

/** Part of the name of a file in the same folder. */
export const journalId = /^\d{1,15}-[0-9a-f]{8}$/;

const file = z.strictObject({
  /** Version 1 had no journal. */
  version: z.literal([1, 2]),
  savedAt: z.string(),
  /** The journal that goes on where this ends. */
  journal: z.string().regex(journalId, 'expected the number and mark of a journal').optional(),
  ...savedParts,
  // A ledger written before these were known has none.
  logs: savedParts.logs.default([]),
  missed: savedParts.missed.default([]),
  sessions: savedParts.sessions.default([]),
  related: savedParts.related.default([]),
  relatedCounts: savedParts.relatedCounts.default([]),
  recent: savedParts.recent.default([]),
  availability: savedParts.availability.default([]),
  errorHours: savedParts.errorHours.default([]),
  servers: savedParts.servers.default([]),
});

/** The whole file. What the model has a type for, such as a checkpoint, is of that type, or this does not compile. */
export const schema: OfType<typeof file, SavedFile> = file;

export function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new LedgerFileError('damaged', `${file}: damaged: ${error instanceof Error ? error.message : String(error)}`);
  }
}
