/** Mutates bytes without a look at what they mean, and writes texts in the encodings that Windows and its shippers use. */
import { mark, oddText, pumped } from './odd-values.mjs';

/** @param donor bytes of another input, of which a part is taken */
export function mutateBytes(random, bytes, donor) {
  let result = bytes;
  for (let rounds = random.size(4); rounds > 0; rounds--) result = change(random, result, donor);
  return result;
}

function change(random, bytes, donor) {
  const at = random.int(bytes.length + 1);
  const end = Math.min(bytes.length, at + random.size(bytes.length + 1));
  const put = (middle, rest = at) => Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(rest)]);
  const changes = [
    () => bytes.subarray(0, at),
    () => put(Buffer.alloc(0), end),
    () => put(bytes.subarray(at, end)),
    () => put(Buffer.alloc(random.size(100_000), random.int(256))),
    () => put(Buffer.from(oddText(random))),
    () => put(Buffer.from(mark(random).repeat(random.size(2_000)))),
    () => put(Buffer.from(pumped(random))),
    () => put(someOf(random, donor)),
    () => put(Buffer.from([0xff, 0xfe, 0xef, 0xbb, 0xbf, 0xc0, 0x80, 0xed, 0xa0, 0x80, 0xf8])),
    () => flipped(random, bytes),
    () => flipped(random, bytes),
    () => Buffer.concat([someOf(random, donor), bytes]),
  ];
  return random.pick(changes)();
}

function someOf(random, bytes) {
  const from = random.int(bytes.length + 1);
  return bytes.subarray(from, from + random.size(20_000));
}

function flipped(random, bytes) {
  const copy = Buffer.from(bytes);
  for (let times = random.size(50); times > 0 && copy.length > 0; times--) {
    copy[random.int(copy.length)] ^= 1 << random.int(8);
  }
  return copy;
}

/** By name, from text to bytes. */
export const encodings = {
  'utf-8': (text) => Buffer.from(text),
  'utf-8 with mark': (text) => Buffer.from(`\ufeff${text.replace(/^\ufeff/, '')}`),
  'utf-16le with mark': (text) => Buffer.from(`\ufeff${text.replace(/^\ufeff/, '')}`, 'utf16le'),
  'utf-16le': (text) => Buffer.from(text.replace(/^\ufeff/, ''), 'utf16le'),
  'utf-16be with mark': (text) => Buffer.from(`\ufeff${text.replace(/^\ufeff/, '')}`, 'utf16le').swap16(),
  latin1: (text) => Buffer.from(text.replace(/^\ufeff/, ''), 'latin1'),
};
