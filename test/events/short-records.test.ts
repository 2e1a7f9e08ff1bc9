/** Issue 14, 1.3: short garbage costs little, and is counted as if each record had been decoded. */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { ReadableFile, TextFormat } from '../../src/events/formats/format.js';
import { UnreadableRecord } from '../../src/events/decode/unreadable.js';
import { formats } from '../../src/events/formats/formats.js';
import { createReader, fingerprintOf, type TextPass } from '../../src/events/read/pass.js';
import type { Position } from '../../src/model/batch.js';

const textFormats = formats.filter((format) => format.kind === 'text');
const none = fingerprintOf(Buffer.alloc(0));
const reader = createReader();

test.each(textFormats)('1.3: $name: records read together count as each of them alone does', async (format) => {
  const property = fc.asyncProperty(
    fc.array(shortRecords(format), { minLength: 1, maxLength: 20 }),
    async (records) => {
      // The same records again and again, as garbage comes, and in another order.
      const all = [...records, ...records, ...records.toReversed()];
      const expected = { ignored: 0, unreadable: {}, barren: 0 };
      for (const record of all) {
        const alone = await totalsOf(format, record);
        expected.ignored += alone.ignored;
        add(expected.unreadable, alone.unreadable);
        expected.barren = alone.isFruitful ? 0 : expected.barren + alone.barren;
      }
      const together = await totalsOf(format, Buffer.concat(all));
      expect(together.unread).toBe(0);
      expect({ ignored: together.ignored, unreadable: together.unreadable, barren: together.barren }).toEqual(expected);
    },
  );
  await fc.assert(property, { numRuns: 30 });
});

test('1.3: the first of many unreadable records is the one that is told of', async () => {
  const format = formatNamed('winlogbeat');
  const { trouble } = await totalsOf(format, Buffer.from(`{}\n\n${'x\n{}\ny\n'.repeat(1_000)}`));
  expect(trouble).toMatchObject({ at: 4, reason: 'not_json' });
  expect(trouble?.message).toContain('"x"');
});

test('1.3: of a hundred thousand equal lines each pass decodes one', async () => {
  const decode = vi.fn<TextFormat['decode']>(() => []);
  const format: TextFormat = { name: 'x', kind: 'text', framing: 'lines', recognises: () => true, decode };
  const { ignored, passes } = await totalsOf(format, Buffer.from('x\n\n \r\n'.repeat(100_000)));
  expect(ignored).toBe(100_000);
  expect(decode).toHaveBeenCalledTimes(passes);
});

test('1.3: a line of blanks over the limit of a record is too large among short lines, too', async () => {
  const blanks = ' '.repeat(1024 * 1024 + 1);
  const { unreadable } = await totalsOf(formatNamed('snare'), Buffer.from(`x\nx\n${blanks}\nx\n`));
  expect(unreadable).toEqual({ too_large: 1 });
});

function formatNamed(name: string): TextFormat {
  const format = textFormats.find((each) => each.name === name);
  if (!format) throw new Error(`no format ${name}`);
  return format;
}

/** Whole records of a few bytes: of chance, and as near to something as the format can be told. */
function shortRecords({ framing, idMark }: TextFormat): fc.Arbitrary<Buffer> {
  const mark = idMark === undefined ? '"Id":' : 'after' in idMark ? idMark.after : idMark.before;
  const piece = fc.oneof(
    fc.constantFrom(
      ...Array.from(' \r\t\0{}[]",:.#<>&;xé1*-'),
      '\\',
      '{}',
      '{"',
      '":',
      'null',
      '1',
      mark,
      '2002',
      '<Event>',
      'SMTP,',
    ),
    fc.constantFrom(',,,,,,,,', '{"a":1}', '{"a"1}', '""', 'MSWinEventLog\t', '"Event":{', '#Fields: ', '</Events>'),
    fc.string({ minLength: 1, maxLength: 3 }).map((text) => text.replaceAll('\n', '')),
  );
  const inside = fc.array(piece, { maxLength: 7 }).map((pieces) => pieces.join(''));
  if (framing === 'lines') return inside.map((text) => Buffer.from(`${text}\n`));
  if (framing === 'xml') return inside.map((text) => Buffer.from(`${text}</Event>`));
  // Braces and quotes would join records into one.
  return inside.map((text) => Buffer.from(`{${text.replaceAll(/[{}"\\]/g, '')}}\n`));
}

/** Reads all passes over the bytes. */
async function totalsOf(format: TextFormat, bytes: Buffer) {
  const file: ReadableFile = {
    read: (buffer, offset, length, position) =>
      Promise.resolve({
        bytesRead: bytes.copy(buffer, offset, position, Math.min(bytes.length, position + length)),
        buffer,
      }),
    stat: () => Promise.reject(new Error('not asked for')),
  };
  const totals = { ignored: 0, unreadable: {} as Record<string, number>, barren: 0, passes: 0, isFruitful: false };
  let trouble: TextPass['trouble'];
  let [position, tail, more] = [{ offset: 0 } as Position, none, true];
  // A pass ends early on a busy machine.
  while (more) {
    const pass = await reader(file, position, { format, encoding: 'utf-8', tail, wanted: (id) => id === 2002 });
    if (pass === 'replaced') throw new Error('replaced');
    ({ position, tail, more } = pass);
    totals.ignored += pass.ignored;
    add(totals.unreadable, pass.unreadable);
    totals.barren = pass.barren.throughout ? totals.barren + pass.barren.atEnd : pass.barren.atEnd;
    totals.isFruitful ||= !pass.barren.throughout;
    totals.passes++;
    trouble ??= pass.trouble;
  }
  return { ...totals, trouble, unread: bytes.length - position.offset };
}

function add(sums: Record<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [reason, count] of Object.entries(counts)) sums[reason] = (sums[reason] ?? 0) + count;
}

test('1.3: equal records of a document and of XML are decoded once or twice in a pass', async () => {
  const units = { json: '{"a":1,"b":"}"}, ', xml: '\n2002</EventID></Event>' } as const;
  for (const [framing, unit] of Object.entries(units) as ['json' | 'xml', string][]) {
    const decode = vi.fn<TextFormat['decode']>(() => []);
    const format: TextFormat = { name: 'x', kind: 'text', framing, recognises: () => true, decode };
    const { ignored, passes } = await totalsOf(format, Buffer.from(unit.repeat(50_000)));
    expect(ignored).toBe(50_000);
    // The first has no comma before it.
    expect(decode.mock.calls.length).toBeLessThanOrEqual(passes * 2);
  }
});

test('1.3: where no record comes again none is looked for any longer, and all are counted', async () => {
  const decode = vi.fn<TextFormat['decode']>(() => []);
  const format: TextFormat = { name: 'x', kind: 'text', framing: 'lines', recognises: () => true, decode };
  const different = Array.from({ length: 20_000 }, (_, n) => `line ${n}\n`).join('');
  const { ignored } = await totalsOf(format, Buffer.from(`${different}${'x\n'.repeat(1_000)}${different}`));
  expect(ignored).toBe(41_000);
});

test.each(['not_json', 'wrong_shape'] as const)(
  '1.3: of many unreadable records one message is made: %s',
  async (reason) => {
    const make = vi.fn(() => 'why');
    const decode = (): never => {
      throw new UnreadableRecord(reason, make);
    };
    const format: TextFormat = { name: 'x', kind: 'text', framing: 'lines', recognises: () => true, decode };
    const lines = Array.from({ length: 10_000 }, (_, n) => `line ${n}\n`).join('');
    const { unreadable, trouble, passes } = await totalsOf(format, Buffer.from(lines));
    expect(unreadable).toEqual({ [reason]: 10_000 });
    expect(trouble?.message).toBe('why');
    expect(make.mock.calls.length).toBeLessThanOrEqual(passes);
  },
);
