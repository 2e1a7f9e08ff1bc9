/** Cuts what a sender of Lumberjack 2 writes into frames, within bounds: a length that lies is refused before it is waited for. */
import type { Gathered } from '../push/blocks.js';

/** A whole frame; the payload is gone when the next one is asked for. */
export type Frame =
  | { readonly type: 'window'; readonly size: number }
  | { readonly type: 'record'; readonly sequence: number; readonly payload: readonly Buffer[] }
  | { readonly type: 'packed'; readonly payload: readonly Buffer[] };

/** What is no Lumberjack 2, or more than is taken; the connection is closed for it. */
export class Malformed extends Error {}

export type FrameReader = {
  /** Steps through a chunk. @throws Malformed; Error when there is no memory for it now */
  readonly read: (chunk: Buffer) => Generator<Frame, void, void>;
  /** True while a frame has begun that is not whole. */
  readonly isWithin: () => boolean;
};

export type FrameLimits = { readonly record: number; readonly packed: number };

const [version, letterW, letterJ, letterC, letterD] = [0x32, 0x57, 0x4a, 0x43, 0x44];
const headers: Readonly<Record<number, number>> = { [letterW]: 6, [letterJ]: 10, [letterC]: 6 };

/** There is no room for what is being sent, at this moment. */
export class NoRoom extends Error {}

export function createFrameReader(body: Gathered, limits: FrameLimits): FrameReader {
  const head = Buffer.alloc(10);
  let [have, need, left] = [0, 2, 0];
  return {
    isWithin: () => have > 0,
    *read(chunk) {
      let at = 0;
      while (at < chunk.length) {
        if (have < need) {
          head[have++] = chunk[at++] ?? 0;
          if (have === 2) need = headerLength(head);
          if (have < need || have === 2) continue;
          left = payloadLength(head, limits);
        } else {
          const part = chunk.subarray(at, at + left);
          if (!body.add(part)) throw new NoRoom('too much is being sent at once');
          at += part.length;
          left -= part.length;
        }
        if (left > 0) continue;
        yield frameOf(head, body.parts());
        body.release();
        [have, need] = [0, 2];
      }
    },
  };
}

function headerLength(head: Buffer): number {
  if (head[0] !== version)
    throw new Malformed(
      head[0] === 0x31
        ? 'expected Lumberjack version 2, got version 1, which Logstash-forwarder spoke; use Beats'
        : `expected Lumberjack version 2, got ${JSON.stringify(head.toString('latin1', 0, 2))}; ${hintOf(head)}`,
    );
  const length = headers[head[1] ?? 0];
  if (length !== undefined) return length;
  const type = JSON.stringify(head.toString('latin1', 1, 2));
  throw new Malformed(`expected a frame of type W, J or C, got ${type}${head[1] === letterD ? ' of version 1' : ''}`);
}

/** 0x16 begins a TLS handshake; letters an HTTP request. */
function hintOf([first = 0]: Buffer): string {
  if (first === 0x16) return 'the sender speaks TLS: give the source its tls, or set ssl.enabled: false in the sender';
  return 'the sender needs output.logstash';
}

function payloadLength(head: Buffer, limits: FrameLimits): number {
  if (head[1] === letterW) return 0;
  const isPacked = head[1] === letterC;
  const length = head.readUInt32BE(isPacked ? 2 : 6);
  const most = isPacked ? limits.packed : limits.record;
  if (length <= most) return length;
  const what = isPacked ? 'a compressed frame' : 'a record';
  throw new Malformed(`expected ${what} of at most ${most} bytes, got one of ${length}`);
}

function frameOf(head: Buffer, payload: readonly Buffer[]): Frame {
  if (head[1] === letterW) return { type: 'window', size: head.readUInt32BE(2) };
  if (head[1] === letterC) return { type: 'packed', payload };
  return { type: 'record', sequence: head.readUInt32BE(2), payload };
}
