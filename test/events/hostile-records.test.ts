/** Records that were written to do harm: each is one record that cannot be read or is of no interest, and the next is read. */
import { readdirSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { classify } from '../../src/events/classify.js';
import type { TextFormat, Trouble } from '../../src/events/formats/format.js';
import { createReader } from '../../src/events/read/pass.js';
import { UnreadableRecord } from '../../src/events/decode/unreadable.js';
import { decodeExport } from '../../src/inventory/export-file.js';
import type { Decoded } from '../../src/model/records.js';
import type { Fingerprint, Position } from '../../src/model/batch.js';
import { temporaryFolder } from '../support/folder.js';
import { fixtureText, recognisedBy } from './records.js';

const nested = 12_000;
/** 24 KB and more of nesting each, as text: `JSON.stringify` could not write it. */
const nestings = {
  'nested brackets': '['.repeat(nested) + ']'.repeat(nested),
  'objects in "value"': `${'{"value":'.repeat(nested)}2002${'}'.repeat(nested)}`,
  'objects in "id"': `${'{"id":'.repeat(nested)}2002${'}'.repeat(nested)}`,
  'torn brackets': '[{"Name":'.repeat(nested),
};

const jsonFixtures = readdirSync(new URL('../fixtures/events', import.meta.url)).filter(
  (name) => fixtureText(name).includes('{"') && recognisedBy(fixtureText(name))[0]?.framing === 'lines',
);

type Read = { decoded: Decoded[]; ignored: number; unreadable: Record<string, number>; trouble: Trouble | undefined };

async function readWith(format: TextFormat, text: string): Promise<Read> {
  const file = path.join(await temporaryFolder(), 'records');
  await writeFile(file, text);
  const handle = await open(file, 'r');
  const read = createReader();
  const sum: Read = { decoded: [], ignored: 0, unreadable: {}, trouble: undefined };
  let [position, tail]: [Position, Fingerprint] = [{ offset: 0 }, { length: 0, hash: '' }];
  for (let more = true; more;) {
    const pass = await read(handle, position, { format, encoding: 'utf-8', tail, wanted: (id) => id === 2002 });
    if (pass === 'replaced') throw new Error('replaced');
    sum.decoded.push(...pass.decoded);
    sum.ignored += pass.ignored;
    for (const [reason, count] of Object.entries(pass.unreadable))
      sum.unreadable[reason] = (sum.unreadable[reason] ?? 0) + count;
    sum.trouble ??= pass.trouble;
    ({ position, tail, more } = pass);
  }
  await handle.close();
  return sum;
}

/** Every value of an object, at whatever depth, put in the place of another value. */
function withEachValue(object: unknown, placeholder: string): string[] {
  const texts: string[] = [];
  const top = { top: structuredClone(object) };
  const visit = (holder: Record<string, unknown>): void => {
    for (const [key, value] of Object.entries(holder)) {
      holder[key] = placeholder;
      texts.push(JSON.stringify(top.top));
      holder[key] = value;
      if (typeof value === 'object' && value !== null) visit(value as Record<string, unknown>);
    }
  };
  visit(top);
  return texts;
}

describe.each(jsonFixtures)('%s with a value that is nested without end', (name) => {
  const text = fixtureText(name);
  const format = recognisedBy(text)[0]!;
  const good = text.split(/\r?\n/).find((line) => line.includes('2002'))!;
  const begin = good.indexOf('{');
  const object = JSON.parse(good.slice(begin, good.lastIndexOf('}') + 1)) as unknown;

  it.each(Object.entries(nestings))('%s: one record each, whichever value it is', async (_name, nesting) => {
    const hostile = withEachValue(object, '\u0001').map(
      (line) => good.slice(0, begin) + line.replace('"\\u0001"', () => nesting),
    );
    const pass = await readWith(format, [...hostile, good, ''].join('\n'));
    const unreadable = Object.values(pass.unreadable).reduce((sum, count) => sum + count, 0);
    const alone = await readWith(format, `${good}\n`);
    const events = alone.decoded.length;
    expect(events).toBeGreaterThan(0);
    expect(pass.unreadable).not.toHaveProperty('decoder_failed');
    expect(pass.decoded.slice(-events)).toEqual(alone.decoded);
    // A record of several events may have lost one of them.
    if (events === 1) expect(pass.decoded.length + pass.ignored + unreadable).toBe(hostile.length + 1);
    for (const event of pass.decoded) {
      if (event.kind === 'event') classify(event, { server: 'x', knownConnectors: () => [] });
    }
  });
});

it('1.1: a line of 24 KB of nested brackets as the event ID is one unreadable record, and the next is counted', async () => {
  const text = fixtureText('winlogbeat-8.ndjson');
  const good = text.split('\n').find((line) => /"event_id": ?"?2002/.test(line))!;
  const bad = good.replace(/("event_id": ?)"?2002"?/, (_whole, key: string) => key + nestings['nested brackets']);
  expect(bad).not.toBe(good);
  const pass = await readWith(recognisedBy(text)[0]!, `${bad}\n${good}\n`);
  expect(pass.unreadable).toEqual({ wrong_shape: 1 });
  expect(pass.decoded).toHaveLength(1);
  expect(pass.trouble).toMatchObject({ at: 0, reason: 'wrong_shape' });
});

it('1.1: what no decoder means to throw is one unreadable record', async () => {
  const faulty: TextFormat = {
    name: 'faulty',
    kind: 'text',
    framing: 'lines',
    recognises: () => true,
    recordMarks: { recordId: { after: 'r=' }, channel: { after: 'c=' }, computer: { after: 'm=' } },
    idMark: { after: 'id=' },
    decode: (record) => {
      if (record.includes('bad')) throw new RangeError('Maximum call stack size exceeded');
      return [];
    },
  };
  // The first is decoded; the second is dropped by its ID, and decoded for its record ID.
  const pass = await readWith(faulty, 'bad\nid=1 bad\ngood\n');
  expect(pass.unreadable).toEqual({ decoder_failed: 1 });
  expect(pass.ignored).toBe(2);
  expect(pass.trouble?.message).toContain('Maximum call stack size exceeded');
});

it.each(Object.entries(nestings))(
  'an inventory with %s is refused or read at once, never thrown out of',
  (_name, nesting) => {
    for (const property of ['Name', 'SmartHosts', 'AddressSpaces', 'Port', 'Fqdn', 'Enabled', 'Guid']) {
      const begun = performance.now();
      decodeExport(Buffer.from(`[{"Name":"a","${property}":${nesting}}]`));
      expect(performance.now() - begun).toBeLessThan(2_000);
    }
  },
);

it('a record that cannot be read costs no stack trace, and those that are thrown elsewhere keep theirs', () => {
  const limit = Error.stackTraceLimit;
  expect(new UnreadableRecord('not_xml', 'why').stack).not.toContain('\n');
  expect(Error.stackTraceLimit).toBe(limit);
  expect(new Error('why').stack).toContain('hostile-records');
});
