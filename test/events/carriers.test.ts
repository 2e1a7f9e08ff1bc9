import { readdirSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { TextFormat } from '../../src/events/formats/format.js';
import { createReader, fingerprintOf, type Reader } from '../../src/events/read/pass.js';
import { encodingOf, type Encoding } from '../../src/events/read/text.js';
import type { Decoded } from '../../src/model/records.js';
import type { Position } from '../../src/model/batch.js';
import { decodeAll, fixtureText, recognisedBy, recordsOf } from './records.js';

const files = readdirSync(new URL('../fixtures/events', import.meta.url));
const read = createReader(256 * 1024);

/** A file that is read from memory: thousands of cuts would be slow on a disk. */
function fileOf(bytes: Buffer): FileHandle {
  const readAt = (target: Buffer, offset: number, length: number, position: number) =>
    Promise.resolve({ bytesRead: bytes.copy(target, offset, position, Math.min(bytes.length, position + length)) });
  return { read: readAt } as unknown as FileHandle;
}

/** Reads a file that grows from one state to the next. */
async function eventsOf(states: readonly Buffer[], format: TextFormat, reader: Reader = read): Promise<Decoded[]> {
  const whole = states.at(-1)!;
  const { encoding, markLength } = encodingOf(whole);
  const events: Decoded[] = [];
  let position: Position = { offset: markLength };
  let tail = fingerprintOf(Buffer.alloc(0));
  for (const state of states) {
    if (state.length < markLength) continue;
    const pass = await reader(fileOf(state), position, { format, encoding, tail, wanted: (id) => id === 2002 });
    if (pass === 'replaced') throw new Error('the file was taken for another one');
    expect(pass.unreadable).toEqual({});
    events.push(...pass.decoded);
    ({ position, tail } = pass);
  }
  expect(position.offset).toBe(whole.length);
  return events;
}

const marks: Record<Encoding, string> = { 'utf-8': '', 'utf-16le': '\uFEFF', 'utf-16be': '\uFEFF' };

function encoded(text: string, encoding: Encoding): Buffer {
  if (encoding === 'utf-8') return Buffer.from(text);
  const little = Buffer.from(marks[encoding] + text, 'utf16le');
  return encoding === 'utf-16le' ? little : little.swap16();
}

/** The first two records of a file as a file of their own. */
function beginning(text: string, framing: TextFormat['framing']): string {
  if (framing === 'json') return text;
  if (framing === 'lines') return text.split('\n').slice(0, 2).join('\n') + '\n';
  return recordsOf(text, framing).slice(0, 2).join('') + '\r\n';
}

describe.each(files)('%s', (file) => {
  const text = fixtureText(file);
  const format = recognisedBy(text)[0]!;
  const wanted = decodeAll(text).filter((event) => event.eventId === 2002);

  test('through the reader it gives the same events in every encoding, with and without a mark', async () => {
    for (const encoding of ['utf-8', 'utf-16le', 'utf-16be'] as const) {
      expect(await eventsOf([encoded(text, encoding)], format), encoding).toEqual(wanted);
    }
    expect(await eventsOf([Buffer.from(`\uFEFF${text}`)], format)).toEqual(wanted);
    if (/^[[{<]/.test(text)) expect(await eventsOf([Buffer.from(text, 'utf16le')], format)).toEqual(wanted);
  });

  test('with line ends of the other kind it gives the same events', async () => {
    const other = text.includes('\r\n') ? text.replaceAll('\r\n', '\n') : text.replaceAll('\n', '\r\n');
    expect(await eventsOf([Buffer.from(other)], format)).toEqual(
      decodeAll(other).filter((event) => event.eventId === 2002),
    );
  });

  test('cut in two at every byte it gives the same events', async () => {
    const bytes = Buffer.from(text);
    const events = await eventsOf([bytes], format);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(await eventsOf([bytes.subarray(0, cut), bytes], format), `cut at ${cut}`).toEqual(events);
    }
  });

  test('no beginning of it is taken for another format', () => {
    const start = beginning(text, format.framing);
    for (let cut = 0; cut <= start.length; cut++) {
      const [found] = recognisedBy(start.slice(0, cut));
      if (found) expect(found.name, `cut at ${cut}`).toBe(format.name);
    }
  });
});
