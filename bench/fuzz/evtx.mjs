/** Makes binary logs with the writer of the tests and mutates their chunks, with their checksums put right or not. */
import { crc32 } from 'node:zlib';
import { pumped } from './odd-values.mjs';

const chunkSize = 65_536;
const fileHeaderSize = 4_096;
const recordsStart = 512;
const oddWords = [0, 1, 3, 7, 8, 127, 128, 255, 511, 512, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0xffffffff];

/** @param writer the module of the tests @returns a log of three chunks or more */
export function cleanLog(random, writer) {
  const log = writer.createLog({ checksums: random.chance(0.8), leftovers: random.chance(0.2) });
  let n = 0;
  while (log.slots.length < 4) writer.addEvent(log, eventOf(random, n++));
  for (let more = 0; more < 40; more++) writer.addEvent(log, eventOf(random, n++));
  return writer.imageOf(log, random.pick(['clean', 'dirty']));
}

function eventOf(random, n) {
  const names = [`Outbound ${n % 5}`, `203.0.113.${n % 250}:25`];
  return {
    form: random.pick(['classic', 'classic', 'modern', 'forwarded']),
    eventId: random.chance(0.5) ? 2002 : random.int(65_536),
    time: random.chance(0.02) ? random.pick([-11_644_473_600_000, 253_402_300_799_999, 0]) : Date.now() - n * 1_000,
    strings: random.chance(0.05) ? [pumped(random, 8_000), ...names] : names,
    ...(random.chance(0.1) && { named: { param1: names[0], param2: names[1] } }),
  };
}

export function firstIdOfLastChunk(image) {
  return Number(image.readBigInt64LE(image.length - chunkSize + 24));
}

/** Changes the chunks but the last one. */
export function mutateLog(random, image) {
  const bytes = Buffer.from(image);
  const chunks = Math.floor((bytes.length - fileHeaderSize) / chunkSize);
  for (let rounds = random.size(20); rounds > 0; rounds--) {
    const at = fileHeaderSize + random.int(Math.max(1, chunks - 1)) * chunkSize;
    changeChunk(random, bytes.subarray(at, at + chunkSize));
  }
  if (random.chance(0.1)) bytes.writeUInt32LE(random.pick(oddWords), random.int(128));
  if (random.chance(0.7)) for (let chunk = 0; chunk < chunks - 1; chunk++) sealChunk(bytes, chunk);
  return bytes;
}

function changeChunk(random, chunk) {
  const end = Math.min(chunkSize, Math.max(recordsStart + 1, chunk.readUInt32LE(48)));
  const inside = recordsStart + random.int(end - recordsStart);
  const room = Math.max(0, chunkSize - inside - 8);
  const changes = [
    () => chunk.writeUInt32LE(random.pick(oddWords), 8 + random.int(110)),
    () => chunk.writeUInt32LE(random.pick(oddWords), 128 + random.int(96) * 4),
    () => room > 0 && chunk.writeUInt32LE(random.pick(oddWords), inside),
    () => room > 0 && chunk.writeUInt16LE(random.pick(oddWords) & 0xffff, inside),
    () => room > 0 && chunk.writeUInt8(random.pick([0x0c, 0x41, 0x01, 0x0e, 0x0d, 0x21, 0x81, 0x0f, 0]), inside),
    () => recordSize(random, chunk),
    // A place that points at another place of the chunk: templates and names within themselves.
    () => room > 0 && chunk.writeUInt32LE(recordsStart + random.int(chunkSize - recordsStart), inside),
    () => chunk.copyWithin(inside, recordsStart, recordsStart + random.size(room + 1)),
    () => chunk.fill(random.int(256), inside, Math.min(chunkSize, inside + random.size(2_000))),
  ];
  random.pick(changes)();
}

/** One of the two sizes of a record: at its beginning, or at its end. */
function recordSize(random, chunk) {
  let at = recordsStart;
  for (let skip = random.int(40); skip > 0; skip--) {
    const size = at + 8 < chunkSize ? chunk.readUInt32LE(at + 4) : 0;
    if (size < 28 || at + size + 28 > chunkSize) break;
    at += size;
  }
  const size = chunk.readUInt32LE(at + 4);
  const place = random.chance(0.5) ? at + 4 : Math.min(chunkSize - 4, at + size - 4);
  chunk.writeUInt32LE(random.chance(0.5) ? random.pick(oddWords) : (size ^ (1 << random.int(16))) >>> 0, place);
}

function sealChunk(bytes, index) {
  const chunk = bytes.subarray(fileHeaderSize + index * chunkSize, fileHeaderSize + (index + 1) * chunkSize);
  const end = Math.min(chunkSize, Math.max(recordsStart, chunk.readUInt32LE(48)));
  chunk.writeUInt32LE(crc32(chunk.subarray(recordsStart, end)), 52);
  chunk.writeUInt32LE(crc32(chunk.subarray(128, 512), crc32(chunk.subarray(0, 120))), 124);
}
