/** The saved form of the ledger: version 1, one JSON file, one row a line. */
import type * as z from 'zod';
import { readPlainFile } from '../runtime/plain-file.js';
import { cleanRows } from './clean-rows.js';
import { LedgerFileError, parse, type SavedLedger, schema } from './saved.js';

/**
 * Reads the saved ledger.
 * @returns undefined when there is none yet
 * @throws LedgerFileError when it is damaged, foreign or of a newer version
 */
export async function loadLedgerFile(file: string): Promise<SavedLedger | undefined> {
  const text = await readText(file).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'EACCES' || code === 'EPERM') throw new Error(notReadable(file), { cause: error });
    throw new Error(`${file}: expected the saved ledger, got ${(error as Error).message}`, { cause: error });
  });
  if (text === undefined) return undefined;
  const content = parse(text, file);
  const version = (content as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version > 1) {
    throw newer(file, `version ${version}, this one knows 1`);
  }
  const result = schema.safeParse(content);
  if (!result.success) throw refusal(file, result.error.issues);
  // Absent and undefined are the same to JSON; the schema has checked the rest.
  const saved = result.data as SavedLedger;
  return { ...saved, rows: cleanRows(saved.rows) };
}

/** Where nothing is wrong but keys that are not known here, a later exporter has written it: counting must not start over. */
function refusal(file: string, issues: readonly z.core.$ZodIssue[]): LedgerFileError {
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
async function readText(file: string): Promise<string> {
  return (await readPlainFile(file, { largest: Infinity, answerMs: 60_000 })).toString('utf8');
}

function notReadable(file: string): string {
  return `${file}: permission denied: the counts saved there belong to another account; give the file to the account of this exporter (chown), or give this exporter a folder of its own with --state.directory`;
}

/** The parts of a ledger, already written as JSON: an entry, or several with commas between, in each piece. */
export type LedgerParts = { readonly [Part in keyof SavedLedger]: Iterable<string | Buffer> };

const partNames = [
  'rows',
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

/** The whole file. Pieces that are bytes already are taken as they are: with many files they are most of it. */
export function ledgerBytes(savedAt: number, parts: LedgerParts): Buffer {
  const pieces: Buffer[] = [];
  let text = `{"version":1,"savedAt":"${new Date(savedAt).toISOString()}"`;
  for (const name of partNames) {
    text += `,\n"${name}":[\n`;
    let between = '';
    for (const part of parts[name]) {
      text += between;
      between = ',\n';
      if (typeof part === 'string') text += part;
      else {
        pieces.push(Buffer.from(text), part);
        text = '';
      }
    }
    text += '\n]';
  }
  return Buffer.concat([...pieces, Buffer.from(`${text}}\n`)]);
}
