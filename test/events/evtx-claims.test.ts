/** What the headers of a binary log claim is no fact: a growing log is read whole, whatever they say. */
import fc from 'fast-check';
import { crc32 } from 'node:zlib';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readPass } from '../../src/events/formats/evtx/pass.js';
import { sightingsOfDamage } from '../../src/events/formats/evtx/tip.js';
import type { Position } from '../../src/model/batch.js';
import { addEvent, chunkSize, createLog, fileHeaderSize, imageOf } from '../support/evtx-writer.js';

/** A field of a chunk header by its offset; what it claims instead. */
type Lie = { readonly field: number; readonly wide: boolean; readonly value: number };

/** Record numbers and IDs have 64 bits, offsets 32. */
const wideFields: readonly number[] = [8, 16, 24, 32];

/** Claims that are sealed with a checksum of their own: nothing but the records contradicts them. */
function withLie(image: Buffer, slot: number, { field, wide, value }: Lie, checksums: boolean): Buffer {
  const header = image.subarray(fileHeaderSize + slot * chunkSize, fileHeaderSize + (slot + 1) * chunkSize);
  if (wide) header.writeBigUInt64LE(BigInt(value), field);
  else header.writeUInt32LE(value, field);
  if (checksums) header.writeUInt32LE(crc32(header.subarray(128, 512), crc32(header.subarray(0, 120))), 124);
  return image;
}

/** What a reader makes of a file that is rewritten again and again: record IDs in the order of reading. */
async function idsRead(images: readonly Buffer[]): Promise<number[]> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'claims-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const name = path.join(folder, 'Application.evtx');
  const read: number[] = [];
  let position: Position = { offset: 0 };
  for (const image of images) {
    await writeFile(name, image);
    const file = await open(name, 'r');
    for (let poll = 0; poll <= sightingsOfDamage; poll++) {
      for (let more = true, passes = 0; more; passes++) {
        if (passes > 500) throw new Error('reading does not come to an end');
        const result = await readPass(file, position, () => true, { bytes: 4 << 20, ms: 60_000 });
        for (const event of result.decoded) if (event.kind === 'event') read.push(event.recordId ?? -1);
        position = JSON.parse(JSON.stringify(result.position)) as Position;
        ({ more } = result);
      }
    }
    await file.close();
  }
  return read;
}

/** Images of a log that has grown to each of these counts. */
function growing(counts: readonly number[], checksums = true): Buffer[] {
  const log = createLog({ checksums, firstId: 1000 });
  return counts.map((count) => {
    while (log.nextId < 1000 + count)
      addEvent(log, { strings: [`Connector ${log.nextId}`, '203.0.113.25:25'], time: 1e12 + log.nextId });
    return imageOf(log);
  });
}

function countTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => 1000 + index);
}

const lies: readonly (readonly [string, number, number])[] = [
  ['last record ID', 32, 32_767],
  ['last record ID', 32, 1_005],
  ['last record ID', 32, 999],
  ['first record ID', 24, 1],
  ['first record ID', 24, 1_100],
  ['first record ID', 24, 0xffff_ffff],
  ['first record number', 8, 5_000],
  ['last record number', 16, 32_767],
  ['offset of the last record', 44, 512],
  ['offset of the last record', 44, 0xffff_ffff],
  ['free-space offset', 48, 0],
  ['free-space offset', 48, 20_000],
  ['free-space offset', 48, 65_536],
  ['free-space offset', 48, 0xffff_ffff],
];

test.each(lies.flatMap((lie) => [true, false].map((checksums) => [...lie, checksums] as const)))(
  '1.1, 4.13: a chunk header whose %s (at %d) claims %d loses nothing of a log that grows (checksums: %s)',
  async (_, field, value, checksums) => {
    const lie: Lie = { field, value, wide: wideFields.includes(field) };
    for (const slot of [0, 1]) {
      const images = growing([60, 110, 227, 400, 430], checksums).map((image) =>
        image.length > fileHeaderSize + slot * chunkSize ? withLie(image, slot, lie, checksums) : image,
      );
      const read = await idsRead(images);
      expect([...new Set(read)].toSorted((a, b) => a - b)).toEqual(countTo(430));
    }
  },
);

test.each([true, false])(
  '1.13: chunks behind one whose damaged header says that it is empty are read while the log grows (checksums: %s)',
  async (checksums) => {
    const images = growing([460, 600, 700, 900, 1_200], checksums).map((image) => {
      if (image.length <= fileHeaderSize + 2 * chunkSize) return image;
      withLie(image, 2, { field: 48, wide: false, value: 0 }, checksums);
      return withLie(image, 2, { field: 24, wide: true, value: 2 ** 50 }, checksums);
    });
    const behind = Number(images.at(-1)?.readBigUInt64LE(fileHeaderSize + 3 * chunkSize + 24));
    expect(behind).toBeLessThan(2_100);
    const read = await idsRead(images);
    expect(read).toHaveLength(new Set(read).size);
    expect(read.filter((id) => id >= behind)).toEqual(countTo(1_200).filter((id) => id >= behind));
  },
);

test.each([true, false])(
  'issue 14, 1.1: a record whose damaged ID is far ahead, in a chunk without a sound header, hides nothing that follows (checksums: %s)',
  async (checksums) => {
    const images = growing([300, 900], checksums).map((image) => {
      const chunk = image.subarray(fileHeaderSize + chunkSize, fileHeaderSize + 2 * chunkSize);
      if (chunk.length < 512) return image;
      const [number] = [...idsIn(chunk)].slice(20);
      if (number === undefined) throw new Error('the chunk has too few records');
      chunk.writeBigUInt64LE(BigInt(number.id + 644), number.at + 8);
      chunk.write('damaged', 0, 'latin1');
      return image;
    });
    const read = new Set(await idsRead(images));
    expect(countTo(900).filter((id) => !read.has(id))).toEqual([]);
  },
);

/** The records of a chunk that nobody has damaged: where they stand, and their IDs. */
function* idsIn(chunk: Buffer): Generator<{ readonly at: number; readonly id: number }> {
  const free = chunk.readUInt32LE(48);
  for (let at = 512; at < free; at += chunk.readUInt32LE(at + 4))
    yield { at, id: Number(chunk.readBigUInt64LE(at + 8)) };
}

test('a last record ID of 32767 in the first chunk of a growing log reads each of 227 events once', async () => {
  const lie: Lie = { field: 32, value: 32_767, wide: true };
  for (const checksums of [true, false]) {
    const images = growing([100, 122, 150, 227], checksums).map((image) => withLie(image, 0, lie, checksums));
    expect(await idsRead(images)).toEqual(countTo(227));
  }
});

test('the fields of the file header are not believed', async () => {
  for (const offset of [8, 16, 24, 40, 42])
    for (const value of [0, 1, 0x7fff, 0xffff]) {
      const images = growing([60, 227, 430]).map((image) => {
        image.writeUInt16LE(value, offset);
        return image;
      });
      expect(await idsRead(images)).toEqual(countTo(430));
    }
});

test('whatever one header claims of its numbers, and wherever a log was cut before, each record is read once', async () => {
  const value = fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.constantFrom(32_767, 65_535, 0x7fff_ffff, 0xffff_fff0));
  const lie = fc.record({
    field: fc.constantFrom(8, 16, 24, 32, 44),
    wide: fc.constant(true),
    value,
  });
  const cut = fc.option(fc.integer({ min: 0, max: 160_000 }), { nil: undefined });
  const counts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(counts, lie, fc.nat(3), fc.boolean(), cut, async (some, raw, slot, checksums, at) => {
      const sizes = [...new Set(some)].toSorted((a, b) => a - b);
      const images = growing([...sizes, 330], checksums);
      const told = { ...raw, wide: wideFields.includes(raw.field) };
      const lied = images.map((image) =>
        image.length > fileHeaderSize + slot * chunkSize ? withLie(image, slot, told, checksums) : image,
      );
      const [first = Buffer.alloc(0)] = lied;
      const read = await idsRead(at === undefined ? lied : [first.subarray(0, at), ...lied]);
      expect([...new Set(read)].toSorted((a, b) => a - b)).toEqual(countTo(330));
    }),
    { numRuns: 60 },
  );
}, 120_000);
