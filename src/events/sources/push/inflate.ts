/** Decompresses request bodies, one at a time, into one reused buffer, which bounds a decompression bomb. */
import { once } from 'node:events';
import { createGunzip, createInflate, createInflateRaw, type Gunzip, type Inflate, type InflateRaw } from 'node:zlib';

export type Compression = 'gzip' | 'deflate';

/** More than is allowed once it is unpacked. */
export class Bomb extends Error {}

/** Others are being unpacked and read for so long that it is better to come again. */
export class Crowded extends Error {}

export type Unpacker = {
  /**
   * Unpacks and hands the bytes to `use`, which must be done with them when it ends; nobody else unpacks meanwhile.
   * Without a compression the parts are put together.
   * @throws Crowded before anything is done, when its turn has not come within `patienceMs`; Bomb; the error of zlib for what is damaged or cut off; what `use` throws
   */
  readonly unpack: <Result>(
    parts: readonly Buffer[],
    compression: Compression | undefined,
    use: (bytes: Buffer) => Promise<Result>,
    options?: UnpackOptions,
  ) => Promise<Result>;
};

type UnpackOptions = {
  /** Called when the parts are no longer needed, before they are used. */
  readonly unpacked?: () => void;
  readonly patienceMs?: number;
};

export function createUnpacker(mostBytes: number): Unpacker {
  let room: Buffer | undefined;
  let last: Promise<unknown> = Promise.resolve();
  return {
    unpack: (parts, compression, use, { unpacked, patienceMs = Infinity } = {}) => {
      const since = performance.now();
      const turn = last.then(async () => {
        if (performance.now() - since > patienceMs) throw new Crowded('others are being read');
        room ??= Buffer.allocUnsafeSlow(mostBytes);
        const length =
          compression === undefined ? gather(parts, room) : await inflate(parts, openerOf(parts, compression), room);
        unpacked?.();
        return use(room.subarray(0, length));
      });
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}

function gather(parts: readonly Buffer[], room: Buffer): number {
  let length = 0;
  for (const part of parts) length += part.copy(room, length);
  return length;
}

const chunkSize = 64 * 1024;

/**
 * Lets zlib write into the room itself: it would take a new piece of memory for each chunk, which adds up to more than the room
 * before anybody collects it. The members are not documented; where they are others the chunks are copied.
 */
function writeInto(opener: Opener, room: Buffer): void {
  const inside = opener as unknown as { _outBuffer?: unknown; _chunkSize?: unknown; _outOffset?: unknown };
  if (!Buffer.isBuffer(inside._outBuffer) || inside._chunkSize !== chunkSize || inside._outOffset !== 0) return;
  Object.assign(inside, { _outBuffer: room, _chunkSize: room.length });
}

type Opener = Gunzip | Inflate | InflateRaw;

/** What HTTP calls deflate is zlib; some senders write it without the header of zlib. */
function openerOf(parts: readonly Buffer[], compression: Compression): Opener {
  if (compression === 'gzip') return createGunzip({ chunkSize });
  const [first] = parts;
  const [a = 0, b = 0] = first ?? [];
  const hasHeader = (a & 0x0f) === 8 && ((a << 8) | b) % 31 === 0;
  return hasHeader ? createInflate({ chunkSize }) : createInflateRaw({ chunkSize });
}

async function inflate(parts: readonly Buffer[], opener: Opener, room: Buffer): Promise<number> {
  let length = 0;
  writeInto(opener, room);
  opener.on('data', (chunk: Buffer) => {
    if (length + chunk.length > room.length) {
      opener.destroy(new Bomb(`more than ${room.length} bytes once it is unpacked`));
      return;
    }
    if (chunk.buffer !== room.buffer || chunk.byteOffset !== room.byteOffset + length) chunk.copy(room, length);
    length += chunk.length;
  });
  const ended = once(opener, 'end');
  // Whoever waits below is told of it.
  ended.catch(() => undefined);
  for (const part of parts) {
    if (opener.destroyed) break;
    if (!opener.write(part)) await Promise.race([once(opener, 'drain'), ended]);
  }
  opener.end();
  await ended;
  opener.close();
  return length;
}
