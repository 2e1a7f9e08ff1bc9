/** The saved form of the ledger as a whole: version 2, one JSON file, one row a line; what was saved since is in the journal. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type * as z from 'zod';
import { readPlainFile } from '../runtime/plain-file.js';
import { cleanRows } from './clean-rows.js';
import { LedgerFileError, parse, type SavedLedger, schema } from './saved.js';

/** The file as it was written last as a whole, and the journal that goes on where it ends. */
export type Snapshot = { readonly ledger: SavedLedger; readonly journal: string | undefined; readonly bytes: number };

/**
 * Reads the file alone.
 * @returns undefined when there is none yet
 * @throws LedgerFileError when it is damaged, foreign or of a newer version
 */
export async function readSnapshot(file: string): Promise<Snapshot | undefined> {
  const bytes = await readBytes(file).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'EACCES' || code === 'EPERM') throw new Error(notReadable(file), { cause: error });
    throw new Error(`${file}: expected the saved ledger, got ${(error as Error).message}`, { cause: error });
  });
  return bytes && snapshotOf(bytes, file);
}

/**
 * What the bytes of the file say.
 * @param file its name, for messages
 * @throws LedgerFileError when they are damaged, foreign or of a newer version
 */
export function snapshotOf(bytes: Buffer, file: string): Snapshot {
  const content = parse(bytes.toString('utf8'), file);
  const version = (content as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version > 2) {
    throw newer(file, `version ${version}, this one knows 2`);
  }
  const result = schema.safeParse(content);
  if (!result.success) throw refusal(file, result.error.issues);
  // Absent and undefined are the same to JSON; the schema has checked the rest.
  const { journal, ...saved } = result.data as SavedLedger & { readonly journal?: string };
  return { ledger: { ...saved, rows: cleanRows(saved.rows) }, journal, bytes: bytes.length };
}

/** Where nothing is wrong but keys that are not known here, a later exporter has written it: counting must not start over. */
export function refusal(file: string, issues: readonly z.core.$ZodIssue[]): LedgerFileError {
  const unknown = issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []));
  if (issues.every(({ code }) => code === 'unrecognized_keys'))
    return newer(file, `this one does not know ${[...new Set(unknown)].slice(0, 5).join(', ')}`);
  const { path, message } = issues[0] ?? { path: [], message: 'unknown shape' };
  return new LedgerFileError(
    'damaged',
    `${file}: not a ledger of this exporter: ${path.join('.') || 'content'}: ${message}`,
  );
}

function newer(file: string, why: string): LedgerFileError {
  const remedy = 'install that one again or move the file away';
  return new LedgerFileError('newer', `${file}: written by a newer exporter (${why}); ${remedy}`);
}

/** It grows with the number of files, and a slow disk gets its time. */
export function readBytes(file: string): Promise<Buffer> {
  return readPlainFile(file, { largest: Infinity, answerMs: 60_000 });
}

function notReadable(file: string): string {
  return `${file}: permission denied: the counts saved there belong to another account; give the file to the account of this exporter (chown), or give this exporter a folder of its own with --state.directory`;
}

/**
 * The parts of a ledger as JSON: an entry, or several with commas between, in each piece. All are of one moment, though
 * other work is done while they are asked for.
 */
export type LedgerParts = Readonly<Record<Exclude<keyof SavedLedger, 'rows'>, Iterable<string | Buffer>>> & {
  readonly rows: AsyncIterable<readonly string[]>;
};

const partNames = [
  'checkpoints',
  'seen',
  'scrapers',
  'logs',
  'missed',
  'sessions',
  'related',
  'relatedCounts',
  'recent',
  'servers',
  'availability',
  'errorHours',
] as const;

/** The whole file, in pieces. @param journal that goes on where it ends */
export async function* ledgerPieces(savedAt: number, journal: string, parts: LedgerParts): AsyncGenerator<Buffer> {
  const head = `{"version":2,"savedAt":"${new Date(savedAt).toISOString()}","journal":${JSON.stringify(journal)},\n"rows":[\n`;
  yield Buffer.from(head);
  let between = '';
  for await (const rows of parts.rows) {
    if (rows.length === 0) continue;
    yield Buffer.from(between + rows.join(',\n'));
    between = ',\n';
  }
  yield Buffer.from('\n]');
  for (const name of partNames) {
    yield Buffer.from(`,\n"${name}":[\n`);
    yield* listed(parts[name], ',\n');
    yield Buffer.from('\n]');
  }
  yield Buffer.from('}\n');
}

/** Entries with something between them, some at a time; other work is done in between. */
export async function* listed(entries: Iterable<string | Buffer>, between: string): AsyncGenerator<Buffer> {
  const comma = Buffer.from(between);
  let [pieces, bytes, isFirst]: [Buffer[], number, boolean] = [[], 0, true];
  for (const entry of entries) {
    const piece = typeof entry === 'string' ? Buffer.from(entry) : entry;
    pieces.push(isFirst ? nothing : comma, piece);
    isFirst = false;
    bytes += piece.length;
    if (pieces.length < piecesAtOnce && bytes < bytesAtOnce) continue;
    yield Buffer.concat(pieces);
    [pieces, bytes] = [[], 0];
    await nextTurn();
  }
  yield Buffer.concat(pieces);
}

/** To make them, and the texts that they are of, takes a few milliseconds. */
const piecesAtOnce = 128;
const bytesAtOnce = 64 * 1024;
const nothing = Buffer.alloc(0);
