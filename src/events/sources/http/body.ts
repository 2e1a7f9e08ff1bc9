/** Reads the body of a request into the blocks of a stock. */
import type { IncomingMessage } from 'node:http';
import type { Gathered } from '../push/blocks.js';

/** How it ended: `gone` when the sender went before its end. */
type Ended = 'whole' | 'too long' | 'no room' | 'gone';

/** By what its headers say. */
export function isTooLong({ headers }: IncomingMessage, mostBytes: number): boolean {
  return Number(headers['content-length'] ?? 0) > mostBytes;
}

/** What is too long is told at once; whoever refuses it reads the rest away. */
export function gather(request: IncomingMessage, body: Gathered, mostBytes: number): Promise<Ended> {
  return new Promise((resolve) => {
    const end = (how: Ended): void => {
      request.off('data', take);
      request.pause();
      resolve(how);
    };
    const take = (chunk: Buffer): void => {
      if (body.length() + chunk.length > mostBytes) end('too long');
      else if (!body.add(chunk)) end('no room');
    };
    request.on('data', take);
    request.once('end', () => {
      end('whole');
    });
    request.once('close', () => {
      end('gone');
    });
    request.on('error', () => {
      end('gone');
    });
  });
}

/** Of what is refused so much is read away, so that the connection can be used on. */
const mostAway = 256 * 1024;
/** Whoever sends more is left time to read its answer. */
const lingerMs = 1_000;

/** Reading all away would let those who are refused keep the exporter busy. */
export function readAway(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  let left = mostAway;
  const hangUp = (): void => {
    request.off('data', take);
    request.pause();
    const timer = setTimeout(() => request.socket.destroy(), lingerMs);
    request.socket.once('close', () => {
      clearTimeout(timer);
    });
  };
  const take = ({ length }: Buffer): void => {
    left -= length;
    if (left < 0) hangUp();
  };
  if (isTooLong(request, mostAway)) left = 0;
  request
    .on('error', () => undefined)
    .on('data', take)
    .resume();
}
