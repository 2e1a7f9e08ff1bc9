/**
 * Sends pages of metrics: as fast as the scraper reads, and with word to the books when it has all of it.
 *
 * A new series waits at zero until each scraper has seen it. So an answer counts as read only when all of it has gone
 * out and the connection lives on: a scraper that gives up, even at the last moment, is shown zero again.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Request, Response } from 'express';
import type { Answer, Metrics } from '../../metrics/metrics.js';
import { createSender, graceMs, longestPatienceMs } from './unhurried.js';

/** A scraper without a time of its own to wait is given this long. */
const defaultPatienceMs = 60_000;
/** So many scrapes at a time share pages for this long: a stampede costs little more than one scrape. */
const manyWaiting = 8;
const sharedForMs = 1_000;

/**
 * @param hasScraped called with the address of whoever has read a whole answer
 * @returns a function that answers the scrapes of one path
 */
export function createScrapeAnswers(
  metrics: Metrics,
  hasScraped: (address: string) => void,
): (request: Request, response: Response, scraper: string) => Promise<void> {
  const send = createSender();
  /** Answers that are put together or sent. */
  let waiting = 0;
  /** @returns what to tell the books when the scraper got all of it */
  const answer = async (request: Request, response: Response, scraper: string): Promise<Answer | undefined> => {
    const newest = await metrics.render(scraper, waiting <= manyWaiting ? 0 : sharedForMs);
    const wasSent = await send(request, response, newest.page, patienceOf(request));
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
