import { open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { TextFormat } from '../../src/events/formats/format.js';
import { UnreadableRecord } from '../../src/events/decode/unreadable.js';
import { createReader, type TextPass } from '../../src/events/read/pass.js';
import { encodingOf } from '../../src/events/read/text.js';
import type { Position } from '../../src/model/batch.js';
import type { WindowsEvent } from '../../src/model/records.js';
import { temporaryFolder } from '../support/folder.js';

/** A format of one number a record, so that these tests are about cutting and not about carriers. */
function numbers(framing: TextFormat['framing'], idMark?: TextFormat['idMark']): TextFormat {
  return {
    name: 'numbers',
    kind: 'text',
    framing,
    recognises: () => true,
    ...(idMark && { idMark }),
    decode: (record) => {
      const digits = /\d+/.exec(record)?.[0];
      if (digits === undefined) throw new UnreadableRecord('wrong_shape', `expected a number, got ${record}`);
      return [event(Number(digits))];
    },
  };
}

function event(recordId: number): WindowsEvent {
  return {
    kind: 'event',
    provider: '',
    eventId: 0,
    channel: '',
    computer: '',
    recordId,
    time: undefined,
    values: [],
    message: undefined,
  };
}

async function readAll(
  file: string,
  format: TextFormat,
  from: Position = { offset: 0 },
  wanted: (id: number) => boolean = () => true,
) {
  const handle = await open(file, 'r');
  const read = createReader();
  const passes: TextPass[] = [];
  let [position, tail]: [Position, TextPass['tail']] = [from, { length: 0, hash: '' }];
  const head = Buffer.alloc(64);
  const { encoding } = encodingOf(head.subarray(0, (await handle.read(head, 0, 64, 0)).bytesRead));
  for (let more = true; more;) {
    const pass = await read(handle, position, { format, encoding, tail, wanted });
    if (pass === 'replaced') throw new Error('replaced');
    passes.push(pass);
    ({ position, tail, more } = pass);
  }
  await handle.close();
  const total = passes.reduce((sum, pass) => sum + (pass.unreadable.too_large ?? 0), 0);
  return {
    ids: passes.flatMap((pass) => pass.decoded.map((each) => (each.kind === 'event' ? each.recordId : undefined))),
    ignored: passes.reduce((sum, pass) => sum + pass.ignored, 0),
    unreadable: passes.map((pass) => pass.unreadable),
    tooLarge: total,
    position,
    tail,
  };
}

test.each([1.2, 3.9, 4.1, 8.05])('an event right behind %f MiB of garbage is read', async (mib) => {
  const file = path.join(await temporaryFolder(), 'log');
  const events = (from: number): string =>
    [from, from + 1].map((n) => `<Event n="${n}"><EventData>x</EventData></Event>\n`).join('');
  await writeFile(file, `${events(1)}${'y'.repeat(mib * 1024 * 1024)}\n${events(3)}`);
  expect(await readAll(file, numbers('xml'))).toMatchObject({ ids: [1, 2, 3, 4], tooLarge: 1 });
});

test('reads whole lines and leaves half a line unread', async () => {
  const file = path.join(await temporaryFolder(), 'log');
  await writeFile(file, '1\n2\r\n\n  \n3 half');
  const { ids, position } = await readAll(file, numbers('lines'));
  expect(ids).toEqual([1, 2]);
  expect(position).toEqual({ offset: 9 });
});

test('an unreadable record is counted by reason and stepped over', async () => {
  const file = path.join(await temporaryFolder(), 'log');
  await writeFile(file, '1\nnone\n3\n');
  const { ids, unreadable } = await readAll(file, numbers('lines'));
  expect(ids).toEqual([1, 3]);
  expect(unreadable).toEqual([{ wrong_shape: 1 }]);
});

test.each(['lines', 'xml', 'json'] as const)(
  'a record over the limit is counted once and skipped (%s)',
  async (framing) => {
    const file = path.join(await temporaryFolder(), 'log');
    const huge = 'x'.repeat(9 * 1024 * 1024);
    const wrap = {
      lines: (n: string) => `${n}\n`,
      xml: (n: string) => `<Event>${n}</Event>`,
      json: (n: string) => `{"n":"${n}"}\n`,
    }[framing];
    await writeFile(file, wrap('1') + wrap(huge) + wrap('2') + wrap('3'));
    const { ids, tooLarge } = await readAll(file, numbers(framing));
    expect(ids).toEqual([1, 2, 3]);
    expect(tooLarge).toBe(1);
  },
);

test('a file larger than one pass is read in passes, exactly', async () => {
  const file = path.join(await temporaryFolder(), 'log');
  const count = 200_000;
  await writeFile(file, Array.from({ length: count }, (_, index) => `${index} ${'x'.repeat(40)}\n`).join(''));
  const { ids } = await readAll(file, numbers('lines'));
  expect(ids.length).toBe(count);
  expect(ids.every((id, index) => id === index)).toBe(true);
});

test('a pass ends after so many events that to enter them holds nothing up', async () => {
  const file = path.join(await temporaryFolder(), 'log');
  await writeFile(file, Array.from({ length: 4_000 }, (_, index) => `${index}\n`).join(''));
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  onTestFinished(() => {
    clock.mockRestore();
  });
  const { ids, unreadable: passes } = await readAll(file, numbers('lines'));
  expect([ids.length, passes.length]).toEqual([4_000, 3]);
});

test('the byte filter drops by ID, in any place of the record, and never a record without a mark', async () => {
  const file = path.join(await temporaryFolder(), 'log');
  const lines = [
    '{"n":1,"id":7}',
    '{"id": "8","n":2}',
    '{"n":3}',
    '{"id":8,"x":{"id":7},"n":4}',
    '{"id":88,"n":5}',
    '{"id":x,"n":6}',
  ];
  await writeFile(file, lines.join('\n') + '\n');
  const { ids, ignored } = await readAll(file, numbers('lines', { after: '"id":' }), { offset: 0 }, (id) => id === 7);
  expect(ids).toEqual([1, 3, 8, 6]);
  expect(ignored).toBe(2);
});

test('the digits before a closing mark are the ID', async () => {
  const file = path.join(await temporaryFolder(), 'log');
  await writeFile(file, '<Event><EventID Q="2">2002</EventID></Event><Event><EventID>12002</EventID></Event>');
  const { ids, ignored } = await readAll(
    file,
    numbers('xml', { before: '</EventID>' }),
    { offset: 0 },
    (id) => id === 2002,
  );
  expect(ids.length).toBe(1);
  expect(ignored).toBe(1);
});

test('cut in two anywhere, in any encoding, the records are those of the whole', async () => {
  const folder = await temporaryFolder();
  const format = numbers('json');
  const text = '[{"n":1},\r\n{"n":2,"s":"ü→😀}{"},{"n":3}]';
  for (const bytes of [Buffer.from(text), Buffer.from(`\ufeff${text}`, 'utf16le'), Buffer.from(text, 'utf16le')]) {
    for (let cut = 20; cut <= bytes.length; cut++) {
      const file = path.join(folder, `cut-${bytes.length}-${cut}`);
      await writeFile(file, bytes.subarray(0, cut));
      const first = await readAll(file, format);
      await writeFile(file, bytes);
      const second = await readAll(file, format);
      expect(second.ids).toEqual([1, 2, 3]);
      expect(first.ids).toEqual([1, 2, 3].slice(0, first.ids.length));
    }
  }
});

test('content that is not what was read before is told apart, also when it is longer', async () => {
  const file = path.join(await temporaryFolder(), 'log');
  await writeFile(file, '1\n2\n3\n');
  const { position, tail } = await readAll(file, numbers('lines'));
  await writeFile(file, '7\n8\n9\n10\n');
  const handle = await open(file, 'r');
  const pass = await createReader()(handle, position, {
    format: numbers('lines'),
    encoding: 'utf-8',
    tail,
    wanted: () => true,
  });
  await handle.close();
  expect(pass).toBe('replaced');
});

test('any bytes: no throw, and every byte is either read or left as half a record', async () => {
  const file = path.join(await temporaryFolder(), 'log');
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 400 }),
      fc.constantFrom<TextFormat['framing']>('lines', 'xml', 'json'),
      async (bytes, framing) => {
        await writeFile(file, bytes);
        const { position } = await readAll(file, numbers(framing, { after: '"' }), { offset: 0 }, () => false);
        expect(position.offset).toBeLessThanOrEqual(bytes.length);
      },
    ),
    { numRuns: 60 },
  );
});

test('issue 14, 1.3: short garbage is decoded once a pass however often it comes, and counted each time', async () => {
  const file = path.join(await temporaryFolder(), 'log');
  const long = `a line of garbage too long to be remembered${'.'.repeat(128)}`;
  const kinds = ['x', '{}', '7', long];
  const lines = Array.from({ length: 20_000 }, (_, index) => kinds[index % kinds.length] ?? '');
  await writeFile(file, `${lines.join('\n')}\n`);
  const asked: string[] = [];
  const format: TextFormat = {
    ...numbers('lines'),
    decode: (record) => {
      asked.push(record);
      if (record === '{}') return [];
      return numbers('lines').decode(record);
    },
  };
  const handle = await open(file, 'r');
  const read = createReader();
  const total = { decoded: 0, ignored: 0, wrong: 0, passes: 0 };
  let [position, tail]: [Position, TextPass['tail']] = [{ offset: 0 }, { length: 0, hash: '' }];
  for (let more = true; more;) {
    const pass = await read(handle, position, { format, encoding: 'utf-8', tail, wanted: () => true });
    if (pass === 'replaced') throw new Error('replaced');
    ({ position, tail, more } = pass);
    total.passes++;
    total.decoded += pass.decoded.length;
    total.ignored += pass.ignored;
    total.wrong += pass.unreadable.wrong_shape ?? 0;
    if (total.passes === 1) expect(pass.trouble).toMatchObject({ at: 0, message: 'expected a number, got x' });
  }
  await handle.close();
  expect(total).toMatchObject({ decoded: 5_000, ignored: 5_000, wrong: 10_000 });
  const times = (text: string): number => asked.filter((record) => record === text).length;
  expect(times('x')).toBeLessThanOrEqual(total.passes);
  expect(times('{}')).toBeLessThanOrEqual(total.passes);
  expect([times('7'), times(long)]).toEqual([5_000, 5_000]);
});
