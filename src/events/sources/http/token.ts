/** The bearer token of senders: read from its file, and again when that changes. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Log } from '../../../runtime/log.js';
import { readPlainFile } from '../../../runtime/plain-file.js';
import { watchFiles } from '../../../runtime/watch-files.js';

export type Token = {
  /** Whether the header of a request carries it; in the same time, whatever it carries. */
  readonly isIn: (authorization: string | undefined) => boolean;
  /** Why the token cannot be read now; the last good one stays in force. */
  readonly problem: () => string | undefined;
  readonly close: () => void;
};

/** @throws when there is no token at the start */
export async function openToken(file: string, log: Log): Promise<Token> {
  let wanted = digestOf(await tokenIn(file));
  let problem: string | undefined;
  const reload = async (): Promise<void> => {
    try {
      wanted = digestOf(await tokenIn(file));
      problem = undefined;
      log.info('the bearer token was read again', { file });
    } catch (error) {
      problem = (error as Error).message;
      log.error('the bearer token cannot be read; the last good one stays in force', { problem });
    }
  };
  const watch = watchFiles(() => [file], reload);
  return {
    isIn: (authorization = '') => {
      const [, given = ''] = /^bearer +(\S+) *$/i.exec(authorization.slice(0, longestHeader)) ?? [];
      return timingSafeEqual(digestOf(given), wanted);
    },
    problem: () => problem,
    close: watch.close,
  };
}

const longestHeader = 8_192;
/** Shorter ones can be guessed. */
const shortest = 16;

/** @throws when there is none, with the remedy */
export async function tokenIn(file: string): Promise<string> {
  const content = await readPlainFile(file).catch((error: unknown) => {
    throw new Error(`${file}: expected a readable file with a token, got ${(error as Error).message}`, {
      cause: error,
    });
  });
  const token = content.toString('utf8').trim();
  if (/\s/.test(token)) throw new Error(`${file}: expected one token, got several words`);
  if (token.length < shortest)
    throw new Error(`${file}: expected a token of at least ${shortest} characters; openssl rand -hex 32 makes one`);
  return token;
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
