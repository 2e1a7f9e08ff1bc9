import { open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { formats } from '../../src/events/formats/formats.js';
import { createReader, type TextPass } from '../../src/events/read/pass.js';
import { placesOf } from '../../src/events/read/marks.js';
import { createRunCollector } from '../../src/events/read/record-runs.js';
import { temporaryFolder } from '../support/folder.js';
import { winlogbeatLine, type WinlogbeatLineOptions } from '../support/winlogbeat-line.js';

const at = Date.parse('2026-01-15T08:00:00Z');

async function passOver(text: string, unfiltered?: boolean, gapsBefore?: number): Promise<TextPass> {
  const file = path.join(await temporaryFolder(), 'log');
  await writeFile(file, text);
  const format = formats.find((each) => each.kind === 'text' && each.recognises(text));
  if (format?.kind !== 'text') throw new Error('no format');
  const handle = await open(file, 'r');
  const options = { format, encoding: 'utf-8' as const, tail: { length: 0, hash: '' }, unfiltered, gapsBefore };
  const pass = await createReader()(handle, { offset: 0 }, { ...options, wanted: (id) => id === 2002 });
  await handle.close();
  if (pass === 'replaced') throw new Error('replaced');
  return pass;
}

/** Runs of one pass, as `server first-last` with the seconds of the first and the last record. */
async function runsOf(text: string, unfiltered?: boolean, gapsBefore?: number): Promise<string[] | undefined> {
  const pass = await passOver(text, unfiltered, gapsBefore);
  const seconds = (time = Number.NaN): number => (time - at) / 1000;
  return pass.runs?.map(
    ({ computer, first, last, firstAt, lastAt }) =>
      `${computer} ${first}-${last} ${seconds(firstAt)}-${seconds(lastAt)}`,
  );
}

function beats(...ids: (number | WinlogbeatLineOptions)[]): string {
  return ids
    .map((id) => (typeof id === 'number' ? { recordId: id } : id))
    .map((each) =>
      winlogbeatLine({ server: 'A', eventId: 1000, at: new Date(at + (each.recordId ?? 0) * 1000), ...each }),
    )
    .join('');
}

function xml(...ids: number[]): string {
  return ids
    .map((id) => {
      const time = new Date(at + id * 1000).toISOString();
      return `<Event><System><Provider Name="X"/><EventID>${id === 3 ? 2002 : 7}</EventID><TimeCreated SystemTime="${time}"/><EventRecordID>${id}</EventRecordID><Channel>Application</Channel><Computer>A</Computer></System></Event>\n`;
    })
    .join('');
}

test('dropped and decoded records make one run, with the times of its ends', async () => {
  expect(await runsOf(beats(1, 2, { recordId: 3, eventId: 2002 }, 4, 5))).toEqual(['A 1-5 1-5']);
  expect(await runsOf(xml(1, 2, 3, 4, 7, 8))).toEqual(['A 1-4 1-4', 'A 7-8 7-8']);
});

test('logs that are mixed line by line keep their own runs, also when their IDs touch', async () => {
  const b = (recordId: number): WinlogbeatLineOptions => ({ recordId, server: 'B' });
  expect(await runsOf(beats(1, b(2), 2, b(3), 3, b(9), 4))).toEqual(['A 1-4 1-4', 'B 2-3 2-3', 'B 9-9 9-9']);
});

test('a record whose marks are not clear is decoded for its ID', async () => {
  const twice = beats(2).replace('"event_data":{', '"event_data":{"record_id":77,');
  const escaped = beats({ recordId: 3, server: 'A\\B' });
  expect(await runsOf(beats(1) + twice + escaped + beats(3))).toEqual(['A 1-3 1-3', 'A\\B 3-3 3-3']);
});

test('keys in any order, blanks around the colon and a broken dropped line are no gaps', async () => {
  const line = beats(2).trimEnd();
  const turned = JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line) as object).reverse()));
  const broken = beats(3).replace('"@timestamp":"', '"@timestamp":,"');
  expect(await runsOf(`${beats(1)}${turned}\n${broken}${beats(4)}`)).toEqual(['A 1-4 1-4']);
});

test('IDs that hardly follow one another tell nothing, unless the setting says that they do', async () => {
  // All in one pass, however slow the machine is.
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  onTestFinished(() => {
    clock.mockRestore();
  });
  const sparse = Array.from({ length: 100 }, (_, index) => index * 3 + 1);
  expect(await runsOf(beats(...sparse))).toBeUndefined();
  expect(await runsOf(beats(...sparse), true)).toHaveLength(100);
  expect(await runsOf(beats(1, 2, 3), false)).toBeUndefined();
  // In short passes, as of a file that grows line by line.
  expect(await runsOf(beats(...sparse.slice(0, 40)), undefined, 20)).toHaveLength(40);
  expect(await runsOf(beats(...sparse.slice(0, 40)), undefined, 40)).toBeUndefined();
  expect(await runsOf(beats(...sparse.slice(0, 40)), true, 40)).toHaveLength(40);
});

/** Gaps after passes over 25 records each. */
async function gapsAfter(ids: readonly number[]): Promise<number> {
  let gaps = 0;
  for (let from = 0; from < ids.length; from += 25)
    ({ gaps } = await passOver(beats(...ids.slice(from, from + 25)), undefined, gaps));
  return gaps;
}

test('gaps of short passes are outweighed by IDs in a row, and what is delivered again is none', async () => {
  const all = Array.from({ length: 1_500 }, (_, n) => n + 1);
  expect(await gapsAfter(all.filter((id) => id % 150 !== 0))).toBeLessThan(1);
  expect(await gapsAfter(all.flatMap((id) => (id % 25 === 0 ? [id, id - 2, id - 1, id] : [id])))).toBeLessThan(1);
  expect(await gapsAfter(all.filter((id) => id % 3 === 0))).toBeGreaterThan(64);
});

test('19.4: of a source that selects its records no record ID is searched for', () => {
  const bytes = Buffer.from(beats(1, 2, 3));
  const search = vi.spyOn(bytes, 'indexOf');
  const mark = (key: string): { readonly after: string } => ({ after: `"${key}":` });
  const marks = { recordId: mark('record_id'), channel: mark('channel'), computer: mark('computer_name') };
  const collector = createRunCollector(bytes, { marks, decode: () => [], unfiltered: false });
  collector.drop(0, bytes.length);
  expect([collector.runs(), search.mock.calls]).toEqual([undefined, []]);
});

test('a mark is found wherever it stands, from whichever of its letters it is sought', () => {
  const marks = ['"event_id":', '"channel":', '</EventID>', '<Computer>', '"Hostname":', '"'];
  const pieces = fc.array(fc.constantFrom(...marks, 'vent_id":', '"e', 'hannel":', '</', 'x', 'ü'), { maxLength: 12 });
  fc.assert(
    fc.property(pieces, fc.constantFrom(...marks), fc.nat({ max: 20 }), (parts, text, from) => {
      const bytes = Buffer.from(parts.join(''));
      for (const mark of [{ after: text }, { before: text }])
        expect(placesOf(bytes, mark)(from)).toBe(bytes.indexOf(text, Math.min(from, bytes.length)));
    }),
  );
});
