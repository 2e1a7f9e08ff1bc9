/**
 * Sends pages of metrics: as fast as the scraper reads, and with word to the books when it has all of it.
 *
 * A new series waits at zero until each scraper has seen it. So an answer counts as read only when all of it has gone
 * out and the connection lives on: a scraper that gives up, even at the last moment, is shown zero again.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate, setTimeout as pause } from 'node:timers/promises';
import type { Request, Response } from 'express';
import { createBreath } from '../breath.js';
import type { Answer, Metrics } from '../metrics.js';

type Breath = ReturnType<typeof createBreath>;
type Reading = { readonly chunks: readonly Buffer[]; readonly response: Response };

/** A scraper without a time of its own to wait is given this long. */
const defaultPatienceMs = 60_000;
const longestPatienceMs = 120_000;
/** A connection that was reset because its answer was not read is reset within this time. */
const graceMs = 100;
/** So many scrapes at a time share pages for this long: a stampede costs little more than one scrape. */
const manyWaiting = 8;
const sharedForMs = 1_000;
/** Pages of before that slow readers may keep in memory. */
const mostBytesOfBefore = 64 * 1024 * 1024;

/**
 * @param hasScraped called with the address of whoever has read a whole answer
 * @returns a function that answers the scrapes of one path
 */
export function createScrapeAnswers(
  metrics: Metrics,
  hasScraped: (address: string) => void,
): (request: Request, response: Response, scraper: string) => Promise<void> {
  const readings = new Set<Reading>();
  /** Answers that are put together or sent. */
  let waiting = 0;
  // One for all: together they must not hold the event loop either.
  const breathe = createBreath();
  /** @returns what to tell the books when the scraper got all of it */
  const answer = async (request: Request, response: Response, scraper: string): Promise<Answer | undefined> => {
    const newest = await metrics.render(scraper, waiting <= manyWaiting ? 0 : sharedForMs);
    const packed = request.acceptsEncodings('gzip') === 'gzip';
    const chunks = packed ? await newest.page.gzipped() : newest.page.plain;
    if (packed) response.set('Content-Encoding', 'gzip');
    // Pages are compressed here, once for all who read them: nobody is to do it again.
    response.set('Cache-Control', 'no-store, no-transform');
    const reading = { chunks, response };
    readings.add(reading);
    dropSlowest(readings);
    const wasSent = await sent(unhurried(chunks, breathe, request, response), response, patienceOf(request));
    readings.delete(reading);
    return wasSent ? newest : undefined;
  };
  return async (request, response, scraper) => {
    response.set({ 'Content-Type': metrics.contentType, Vary: 'Accept-Encoding' });
    // HEAD shows nobody anything, so it must not count as a scrape.
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    waiting++;
    const read = await answer(request, response, scraper).finally(() => waiting--);
    if (read === undefined || (await wasReset(request.socket))) return;
    read.wasRead();
    hasScraped(scraper);
  };
}

/** @returns false when the scraper has gone or has been too slow */
async function sent(chunks: AsyncIterable<Buffer>, response: Response, patienceMs: number): Promise<boolean> {
  const patience = setTimeout(() => response.destroy(), patienceMs);
  try {
    await pipeline(Readable.from(chunks), response);
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(patience);
  }
}

/**
 * Before the last chunk comes a turn of the event loop, in which a scraper that has gone already is noticed. One that has
 * ended its side may have gone or may read on: what it was sent so far brings a reset when it has gone.
 */
async function* unhurried(
  chunks: readonly Buffer[],
  breathe: Breath,
  { socket }: Request,
  response: Response,
): AsyncGenerator<Buffer> {
  for (const chunk of chunks.slice(0, -1)) {
    yield chunk;
    await breathe();
  }
  await setImmediate();
  await setImmediate();
  if (socket.readableEnded) {
    response.flushHeaders();
    await pause(graceMs);
  }
  yield* chunks.slice(-1);
}

/** A scraper that closes its connection without reading what it was sent resets it. */
async function wasReset(socket: Socket): Promise<boolean> {
  if (socket.destroyed && socket.errored) return true;
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
  }, graceMs);
  const result = await once(socket, 'close', { signal: late.signal }).then(
    ([hadError]) => Boolean(hadError),
    () => !late.signal.aborted,
  );
  clearTimeout(timer);
  return result;
}

/** What Prometheus says of its own patience; it has gone when that is over. */
function patienceOf(request: Request): number {
  const seconds = Number(request.get('X-Prometheus-Scrape-Timeout-Seconds'));
  return seconds > 0 ? Math.min(seconds * 1000, longestPatienceMs) : defaultPatienceMs;
}

/** Pages share what has not changed between them. Those who read old ones go first when that becomes much. */
function dropSlowest(readings: ReadonlySet<Reading>): void {
  const pages = [...new Set([...readings].map(({ chunks }) => chunks))];
  const kept = new Set<Buffer>(pages.pop());
  let bytes = 0;
  for (const chunks of pages.reverse()) {
    for (const chunk of chunks) {
      if (!kept.has(chunk)) bytes += chunk.length;
      kept.add(chunk);
    }
    if (bytes <= mostBytesOfBefore) continue;
    for (const reading of readings) if (reading.chunks === chunks) reading.response.destroy();
  }
}
