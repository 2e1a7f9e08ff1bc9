/** Reads the body of a request into the blocks of a stock. */
import type { IncomingMessage } from 'node:http';
import type { Gathered } from '../push/blocks.js';

/** How it ended: `gone` when the sender went before its end. */
type Ended = 'whole' | 'too long' | 'no room' | 'gone';

/** What is too long is told at once; the rest of it is read away by the server. */
export function gather(request: IncomingMessage, body: Gathered, mostBytes: number): Promise<Ended> {
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) {
    request.resume();
    return Promise.resolve('too long');
  }
  return new Promise((resolve) => {
    const end = (how: Ended): void => {
      request.off('data', take);
      request.resume();
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
