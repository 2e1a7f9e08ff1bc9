/** Sends a page that is put together already: as fast as its reader takes it, and shared with all who read it at a time. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate, setTimeout as pause } from 'node:timers/promises';
import type { Request, Response } from 'express';
import { createBreath, type Breath } from '../../runtime/breath.js';
import type { Page } from '../../metrics/page.js';

type Reading = { readonly chunks: readonly Buffer[]; readonly response: Response };

/** Nobody has longer to read a page. */
export const longestPatienceMs = 120_000;
/** A connection that was reset because its answer was not read is reset within this time. */
export const graceMs = 100;
/** Older pages that slow readers may keep in memory. */
const mostBytesOfBefore = 64 * 1024 * 1024;

/** @returns whether all of it went out: false when the reader has gone or has been too slow */
export type Send = (request: Request, response: Response, page: Page, patienceMs: number) => Promise<boolean>;

export function createSender(): Send {
  const readings = new Set<Reading>();
  // One for all: together they must not hold the event loop either.
  const breathe = createBreath();
  return async (request, response, page, patienceMs) => {
    const packed = request.acceptsEncodings('gzip') === 'gzip';
    const chunks = packed ? await page.gzipped() : page.plain;
    if (packed) response.set('Content-Encoding', 'gzip');
    // Pages are compressed here, once for all who read them: nobody is to do it again.
    response.set({ 'Cache-Control': 'no-store, no-transform', Vary: 'Accept-Encoding' });
    const reading = { chunks, response };
    readings.add(reading);
    dropSlowest(readings);
    const wasSent = await sent(unhurried(chunks, breathe, request, response), response, patienceMs);
    readings.delete(reading);
    return wasSent;
  };
}

/** @returns false when the reader has gone or has been too slow */
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
 * Before the last chunk comes a turn of the event loop, in which a reader that has gone already is noticed. One that has
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
