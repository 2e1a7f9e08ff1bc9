import { existsSync, openSync, closeSync, readFileSync, writeSync, ftruncateSync } from 'node:fs';
import { open, mkdtemp, rm, writeFile, type FileHandle } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { evtx } from '../../src/events/formats/evtx/evtx.js';
import { effortLimit } from '../../src/events/formats/evtx/layout-parts.js';
import { readPass, type Budget } from '../../src/events/formats/evtx/pass.js';
import { sightingsOfDamage } from '../../src/events/formats/evtx/tip.js';
import type { PassResult } from '../../src/events/formats/format.js';
import type { Decoded, WindowsEvent } from '../../src/model/records.js';
import type { Position } from '../../src/model/batch.js';
import {
  addEvent,
  chunkSize,
  createLog,
  fileHeaderSize,
  flush,
  imageOf,
  offsetsOf,
  type Log,
  type LogEvent,
} from '../support/evtx-writer.js';

const beginning: Position = { offset: 0 };
type Wanted = (eventId: number) => boolean;
const everything: Wanted = () => true;
const only2002: Wanted = (eventId) => eventId === 2002;
const connectors = [
  'Outbound to Internet through the smart hosts of Frankfurt',
  'Исходящий: партнёр → склад №7',
  'To <Partner> & "Sons": the old relay in the cellar, do not use',
];
const destinations = ['203.0.113.25:25', '[2001:db8::25]:25', 'mx.contoso.example:587'];
const start = Date.UTC(2026, 0, 15, 8, 14, 2, 137);

type Polled = { events: WindowsEvent[]; ignored: number; damaged: number; position: Position; passes: number };

/** Passes over an open file until all that can be read now is read; what is remembered goes through JSON each time. */
async function poll(file: FileHandle, from = beginning, wanted = everything, budget?: Budget): Promise<Polled> {
  const polled: Polled = { events: [], ignored: 0, damaged: 0, position: from, passes: 0 };
  for (let more = true; more; polled.passes++) {
    if (polled.passes > 5000) throw new Error('reading does not come to an end');
    const result = await readPass(file, polled.position, wanted, budget);
    polled.events.push(...(result.decoded as WindowsEvent[]));
    polled.ignored += result.ignored;
    polled.damaged += result.unreadable.damaged ?? 0;
    polled.position = JSON.parse(JSON.stringify(result.position)) as Position;
    more = result.more;
  }
  return polled;
}

/** As many polls as it takes to give up waiting for a damaged newest chunk. */
async function pollOut(file: FileHandle, from = beginning, wanted = everything): Promise<Polled> {
  const sum = await poll(file, from, wanted);
  for (let again = 1; again < sightingsOfDamage; again++) {
    const next = await poll(file, sum.position, wanted);
    sum.events.push(...next.events);
    sum.ignored += next.ignored;
    sum.damaged += next.damaged;
    sum.position = next.position;
  }
  return sum;
}

async function opened(content: Buffer): Promise<FileHandle> {
  const name = path.join(await folder(), 'Application.evtx');
  await writeFile(name, content);
  const file = await open(name, 'r');
  onTestFinished(() => file.close());
  return file;
}

async function folder(): Promise<string> {
  const created = await mkdtemp(path.join(os.tmpdir(), 'evtx-'));
  onTestFinished(() => rm(created, { recursive: true, force: true }));
  return created;
}

/** An event that tells its number by its connector and destination. */
function numbered(number: number, more: LogEvent = {}): LogEvent {
  const connector = `${connectors[number % 3] ?? ''} ${number}`;
  return { strings: [connector, destinations[number % 3] ?? ''], time: start + number * 1001, ...more };
}

function logOf(count: number, options: Parameters<typeof createLog>[0] = {}, more: LogEvent = {}): Log {
  const log = createLog(options);
  for (let number = 1; number <= count; number++) addEvent(log, numbered(number, more));
  return log;
}

function idsOf(events: readonly Decoded[]): (number | undefined)[] {
  return events.map((event) => (event.kind === 'event' ? event.recordId : undefined));
}

function countTo(last: number, first = 1): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

describe('real files', () => {
  const samples = path.resolve(import.meta.dirname, '../../../shared/samples/evtx');
  const present = existsSync(samples);
  if (!present) console.warn(`SKIPPED: real .evtx files, because ${samples} is absent`);

  type Count = { provider: string; eventId: number; count: number };
  type Truth = { files: { file: string; counts?: Count[]; best?: { counts: Count[] } }[] };

  const truth = present
    ? (JSON.parse(readFileSync(path.join(samples, 'ground-truth.json'), 'utf8')) as Truth)
    : { files: [] };

  it.skipIf(!present)('are five', () => {
    expect(truth.files).toHaveLength(5);
  });

  it.each(truth.files)('$file matches what independent readers agree on', async ({ file, counts, best }) => {
    const handle = await open(path.join(samples, file), 'r');
    onTestFinished(() => handle.close());
    const first = await poll(handle);
    // The corrupt tail is all there is of that file; it is read once it has been seen unchanged often enough.
    const { events, damaged } = first.events.length > 0 ? first : await pollOut(handle, first.position);
    // A record without provider and event ID is no event: the list has it under these, here it is damage.
    const expected = (counts ?? best?.counts ?? []).filter(({ provider }) => provider !== '');
    const found = new Map<string, Count>();
    for (const { provider, eventId } of events) {
      const key = `${provider} ${eventId}`;
      found.set(key, { provider, eventId, count: (found.get(key)?.count ?? 0) + 1 });
    }
    const order = (a: Count, b: Count): number => a.provider.localeCompare(b.provider) || a.eventId - b.eventId;
    expect([...found.values()].sort(order)).toEqual(expected.sort(order));
    expect(damaged > 0).toBe(file === 'dirty-corrupt-tail.evtx');
  });

  it.skipIf(!present)('a forwarded event keeps the record ID, time and strings of its origin', async () => {
    const handle = await open(path.join(samples, 'msexchange-management-forwarded.evtx'), 'r');
    onTestFinished(() => handle.close());
    const [event] = (await poll(handle)).events;
    expect(event).toMatchObject({
      provider: 'MSExchange CmdletLogs',
      channel: 'MSExchange Management',
      computer: 'WEC.ave.local',
      recordId: 3229,
      time: Date.UTC(2021, 10, 19, 16, 52, 33, 833),
    });
    expect(event?.values).toHaveLength(27);
    expect(event?.values[0]).toBe('Set-Mailbox');
    expect(event?.values[7]).toBe('');
  });

  it.skipIf(!present)('the part of a chunk that was cut off is read later, and its loss counted once', async () => {
    const handle = await open(path.join(samples, 'system-dirty-truncated.evtx'), 'r');
    onTestFinished(() => handle.close());
    const all = await pollOut(handle);
    expect([all.events.length, all.damaged]).toEqual([283, 1]);
    expect(await poll(handle, all.position)).toMatchObject({ events: [], ignored: 0, damaged: 0 });
  });
});

describe('reading', () => {
  it('knows the file by its first bytes', () => {
    const image = imageOf(createLog());
    expect(evtx.recognises(image)).toBe(true);
    expect(evtx.recognises(image.subarray(0, 4))).toBe(false);
    expect(evtx.recognises(Buffer.from('<Event xmlns='))).toBe(false);
  });

  it.each(['classic', 'modern', 'forwarded'] as const)('gives 4,000 %s events exactly', async (form) => {
    const log = logOf(4000, {}, { form });
    if (form === 'classic') expect(log.slots.length).toBe(23);
    const { events, ignored, damaged } = await poll(await opened(imageOf(log)));
    expect([events.length, ignored, damaged]).toEqual([4000, 0, 0]);
    events.forEach((event, index) => {
      const number = index + 1;
      expect(event).toEqual({
        kind: 'event',
        provider: 'MSExchangeTransport',
        eventId: 2002,
        channel: 'Application',
        computer: 'EX01.contoso.example',
        recordId: number,
        time: start + number * 1001,
        values: [`${connectors[number % 3] ?? ''} ${number}`, destinations[number % 3]],
        message: undefined,
      });
    });
  });

  it('drops events of other IDs without decoding them, and counts them', async () => {
    const log = createLog();
    for (let number = 1; number <= 3000; number++) {
      const form = number % 7 === 0 ? 'forwarded' : 'classic';
      addEvent(log, numbered(number, { eventId: number % 10 === 0 ? 2002 : 1000 + (number % 10), form }));
    }
    const { events, ignored, damaged } = await poll(await opened(imageOf(log)), beginning, only2002);
    expect([events.length, ignored, damaged]).toEqual([300, 2700, 0]);
    expect(idsOf(events)).toEqual(countTo(300).map((number) => number * 10));
  });

  it('keeps providers apart that share a chunk and an event ID', async () => {
    const log = createLog();
    addEvent(log, { provider: 'MSExchangeTransport', strings: ['a', 'b'] });
    addEvent(log, { provider: 'PerfProc', strings: ['c'] });
    addEvent(log, { provider: 'MSExchangeTransport', strings: [] });
    addEvent(log, { provider: 'PerfProc', strings: ['', 'e', ''], computer: 'EX02' });
    const { events } = await poll(await opened(imageOf(log)));
    expect(events.map(({ provider, computer, values }) => [provider, computer, values])).toEqual([
      ['MSExchangeTransport', 'EX01.contoso.example', ['a', 'b']],
      ['PerfProc', 'EX01.contoso.example', ['c']],
      ['MSExchangeTransport', 'EX01.contoso.example', []],
      ['PerfProc', 'EX02', ['', 'e', '']],
    ]);
  });

  it.each(['classic', 'forwarded'] as const)('gives named values in order (%s)', async (form) => {
    const log = createLog();
    const named = { QueryName: 'mail.contoso.example', AddressLength: 128, Address: '' };
    addEvent(log, { provider: 'Microsoft-Windows-DNS-Client', eventId: 1014, channel: 'System', named, form });
    const [event] = (await poll(await opened(imageOf(log)))).events;
    expect(event).toMatchObject({ eventId: 1014, channel: 'System', values: ['mail.contoso.example', '128', ''] });
  });

  it('reports the record ID of the origin and goes on by that of the collector', async () => {
    const log = createLog({ firstId: 500 });
    const forwarded = { form: 'forwarded', message: 'Sendeconnector "A & B": <Fehler>' } as const;
    for (const originRecordId of [90_001, 7, 8])
      addEvent(log, numbered(originRecordId, { ...forwarded, originRecordId }));
    const first = await poll(await opened(imageOf(log)));
    expect(idsOf(first.events)).toEqual([90_001, 7, 8]);
    expect(first.events[0]?.message).toBe('Sendeconnector "A & B": <Fehler>');
    addEvent(log, numbered(9, { ...forwarded, originRecordId: 9, computer: 'EX02' }));
    const second = await poll(await opened(imageOf(log)), first.position);
    expect(second.events.map((event) => [event.recordId, event.computer])).toEqual([[9, 'EX02']]);
  });

  it('takes the low 16 bits of an identifier written with its qualifiers', async () => {
    const log = createLog();
    addEvent(log, { eventId: ((32_772 << 16) | 2002) >>> 0, strings: ['a', 'b'], form: 'forwarded' });
    expect((await poll(await opened(imageOf(log)))).events[0]?.eventId).toBe(2002);
  });

  it.each(['clean', 'dirty'] as const)('reads a pre-allocated log (%s)', async (state) => {
    const log = logOf(700, { preallocate: true });
    const image = imageOf(log, state);
    expect(image.length).toBe(1_118_208);
    const { events, damaged, position } = await poll(await opened(image));
    expect([events.length, damaged, position.offset]).toEqual([700, 0, image.length]);
  });

  it.each(['clean', 'dirty'] as const)('reads a circular log oldest first (%s)', async (state) => {
    const log = logOf(5000, { maxChunks: 8, leftovers: true });
    const { events, damaged } = await poll(await opened(imageOf(log, state)));
    const kept = events.length;
    expect(kept).toBeGreaterThan(900);
    expect(damaged).toBe(0);
    expect(idsOf(events)).toEqual(countTo(5000, 5001 - kept));
  });

  it('reads a log without checksums', async () => {
    const log = logOf(1000, { checksums: false });
    const { events, damaged } = await poll(await opened(imageOf(log)));
    expect([events.length, damaged]).toEqual([1000, 0]);
  });

  it('gives the same in many small passes as in few, and its lag goes down to nothing', async () => {
    const log = logOf(3000, { maxChunks: 12 });
    const file = await opened(imageOf(log));
    const whole = await poll(file, beginning, everything, { bytes: 1e9, ms: 60_000 });
    // A pass ends after 1,500 events.
    expect(whole.passes).toBe(2);
    const cut = await poll(file, beginning, everything, { bytes: 1, ms: 60_000 });
    expect(cut.passes).toBeGreaterThan(20);
    expect(cut.events).toEqual(whole.events);
    expect(cut.position).toEqual(whole.position);
    let position = beginning;
    const offsets: number[] = [];
    for (let more = true; more;) {
      const result = await readPass(file, position, everything, { bytes: 1, ms: 60_000 });
      ({ position, more } = result);
      offsets.push(position.offset);
    }
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    expect(offsets.at(-1)).toBe((await file.stat()).size);
  });

  it('reads at most 4 MiB and about 1,500 events a pass', async () => {
    const log = logOf(16_000);
    expect(log.slots.length).toBeGreaterThan(80);
    const file = await opened(imageOf(log));
    const first = await evtx.pass(file, beginning, everything);
    expect(first.more).toBe(true);
    expect(first.decoded.length).toBeLessThan(1_800);
    expect((await poll(file)).events).toHaveLength(16_000);
  });

  it('reads next to nothing when nothing has changed', async () => {
    const log = logOf(8000, { maxChunks: 40, preallocate: true });
    const file = await opened(imageOf(log, 'dirty'));
    const { position } = await poll(file);
    let bytes = 0;
    const counting = new Proxy(file, {
      get(target, key) {
        if (key === 'stat') return () => target.stat();
        return async (buffer: Buffer, offset: number, length: number, at: number) => {
          bytes += length;
          return target.read(buffer, offset, length, at);
        };
      },
    });
    // The first look after reading a chunk makes sure of it once; from then on only headers are read.
    const { position: settled } = await poll(counting, position);
    bytes = 0;
    expect(await poll(counting, settled)).toMatchObject({ events: [], passes: 1, position: settled });
    expect(bytes).toBeLessThan(2048);
  });
});

describe('following a log that is written', () => {
  /** A live log: dirty, in place, and polled. */
  async function live(options: Parameters<typeof createLog>[0]) {
    const name = path.join(await folder(), 'Application.evtx');
    const fd = openSync(name, 'w+');
    const log = createLog(options);
    flush(log, fd);
    const file = await open(name, 'r');
    onTestFinished(async () => {
      closeSync(fd);
      await file.close();
    });
    return { fd, log, file };
  }

  it.each([
    ['growing', { preallocate: true }],
    ['circular', { maxChunks: 8, leftovers: true }],
    ['circular without checksums', { maxChunks: 8, checksums: false }],
  ] as const)('gives each record of a %s dirty log once', async (_, options) => {
    const { fd, log, file } = await live(options);
    const seen: (number | undefined)[] = [];
    let position = beginning;
    for (let round = 1; round <= 400; round++) {
      for (let each = 0; each < 10; each++) addEvent(log, numbered(log.nextId));
      flush(log, fd);
      if (round % 3 !== 0 && round < 400) continue;
      const polled = await poll(file, position);
      position = polled.position;
      seen.push(...idsOf(polled.events));
      expect(polled.damaged).toBe(0);
    }
    expect(seen).toEqual(countTo(4000));
  });

  it('gives each record once when the log is written between any two passes', async () => {
    const { fd, log, file } = await live({ maxChunks: 12, leftovers: true });
    for (let number = 1; number <= 1500; number++) addEvent(log, numbered(number));
    flush(log, fd);
    const seen: number[] = [];
    let position = beginning;
    for (let pass = 0, more = true; pass <= 300 || more; pass++) {
      const result = await readPass(file, position, everything, { bytes: 1, ms: 60_000 });
      ({ more } = result);
      position = JSON.parse(JSON.stringify(result.position)) as Position;
      for (const id of idsOf(result.decoded)) seen.push(id ?? 0);
      if (pass >= 300) continue;
      for (let each = 0; each < 5; each++) addEvent(log, numbered(log.nextId));
      flush(log, fd);
    }
    expect(seen).toEqual(countTo(3000));
  });

  it('goes on where it stopped in the middle of a walk', async () => {
    const file = await opened(imageOf(logOf(3000)));
    const first = await readPass(file, beginning, everything, { bytes: 5 * chunkSize, ms: 60_000 });
    expect(first.more).toBe(true);
    expect(first.decoded.length).toBeGreaterThan(0);
    const rest = await poll(file, JSON.parse(JSON.stringify(first.position)) as Position);
    expect(idsOf([...first.decoded, ...rest.events])).toEqual(countTo(3000));
  });

  it('finds what was written while it was stopped, though its place was overwritten', async () => {
    const { fd, log, file } = await live({ maxChunks: 8 });
    for (let number = 1; number <= 600; number++) addEvent(log, numbered(number));
    flush(log, fd);
    const first = await poll(file);
    for (let number = 601; number <= 5000; number++) addEvent(log, numbered(number));
    flush(log, fd);
    const second = await poll(file, first.position);
    const kept = second.events.length;
    expect(kept).toBeGreaterThan(900);
    expect(idsOf(second.events)).toEqual(countTo(5000, 5001 - kept));
  });

  it('leaves a half-written chunk until it is whole', async () => {
    const log = createLog();
    while (log.slots.length < 6) addEvent(log, numbered(log.nextId));
    for (let each = 0; each < 40; each++) addEvent(log, numbered(log.nextId));
    const before = imageOf(log);
    const known = log.nextId - 1;
    for (let each = 0; each < 60; each++) addEvent(log, numbered(log.nextId));
    const after = imageOf(log);
    const name = path.join(await folder(), 'Application.evtx');
    await writeFile(name, before);
    const file = await open(name, 'r+');
    onTestFinished(() => file.close());
    const first = await poll(file);
    expect(idsOf(first.events)).toEqual(countTo(known));
    const last = fileHeaderSize + (log.slots.length - 1) * chunkSize;
    // New header, old records.
    await file.write(after, last, 512, last);
    const torn = await poll(file, first.position);
    expect([torn.events.length, torn.damaged]).toEqual([0, 0]);
    expect(torn.position.offset).toBe(after.length - chunkSize);
    await file.write(after, last, chunkSize, last);
    const second = await poll(file, torn.position);
    expect(idsOf(second.events)).toEqual(countTo(known + 60, known + 1));
    expect(second.position.offset).toBe(after.length);
  });

  it('4.13: reads the whole records of a torn chunk though its header promises other IDs', async () => {
    const image = imageOf(logOf(900));
    const slots = (image.length - fileHeaderSize) / chunkSize;
    expect(slots).toBeGreaterThan(3);
    const at = (slot: number): number => fileHeaderSize + slot * chunkSize;
    const torn = Buffer.from(image);
    // A shadow copy: the second chunk has its own header, and behind it the records of another moment.
    image.copy(torn, at(1) + 512, at(2) + 512, at(3));
    const whole = await poll(await opened(image));
    const own = (from: number): number[] => {
      const [first, last] = [24, 32].map((field) => Number(image.readBigUInt64LE(at(from) + field)));
      return countTo(last ?? 0, first);
    };
    const free = image.readUInt32LE(at(1) + 48);
    const strangers = [...offsetsOf(logOf(900))].flatMap(([id, offset]) =>
      offset >= at(2) && offset < at(3) && offset - at(2) + image.readUInt32LE(offset + 4) <= free ? [id] : [],
    );
    expect(strangers.length).toBeGreaterThan(50);
    const read = await poll(await opened(torn));
    // Those of the second chunk are gone, and counted; those that stand in two chunks are read from both.
    const left = countTo(900).filter((id) => !own(1).includes(id));
    expect(idsOf(read.events).toSorted((a, b) => a! - b!)).toEqual([...left, ...strangers].toSorted((a, b) => a - b));
    expect(read.damaged).toBe(own(1).length);
    const twice = read.events.filter(({ recordId }) => strangers.includes(recordId!));
    for (const event of twice) expect(whole.events).toContainEqual(event);
  });

  it('4.13: a torn newest chunk does not move the place that was read to, so nothing that comes later is lost', async () => {
    const log = logOf(700);
    const old = imageOf(log);
    const name = path.join(await folder(), 'Application.evtx');
    const slots = (old.length - fileHeaderSize) / chunkSize;
    const last = fileHeaderSize + (slots - 1) * chunkSize;
    while (log.slots.length <= slots) addEvent(log, numbered(log.nextId));
    for (let more = 0; more < 40; more++) addEvent(log, numbered(log.nextId));
    const grown = imageOf(log);
    // The newest chunk of the copy holds records that are yet to come in the next one.
    const torn = Buffer.from(old);
    grown.copy(torn, last + 512, last + chunkSize + 512, last + 2 * chunkSize);
    await writeFile(name, torn);
    const file = await open(name, 'r+');
    onTestFinished(() => file.close());
    const first = await pollOut(file);
    await file.write(grown, 0, grown.length, 0);
    const second = await pollOut(file, first.position);
    const all = new Set(idsOf([...first.events, ...second.events]));
    expect(countTo(log.nextId - 1).filter((id) => !all.has(id))).toEqual([]);
  });

  it('takes a chunk that stays half written as it is, counts the loss once, and the rest when it comes', async () => {
    const log = logOf(900);
    const image = imageOf(log);
    const name = path.join(await folder(), 'Application.evtx');
    const missing = 20;
    const cut = offsetsOf(log).get(901 - missing)!;
    const torn = Buffer.from(image);
    torn.fill(0, cut);
    await writeFile(name, torn);
    const file = await open(name, 'r+');
    onTestFinished(() => file.close());
    const all = await pollOut(file);
    expect(idsOf(all.events)).toEqual(countTo(900 - missing));
    expect(all.damaged).toBe(missing);
    const again = await poll(file, all.position);
    expect([again.events.length, again.damaged]).toEqual([0, 0]);
    await file.write(image, 0, image.length, 0);
    const late = await poll(file, again.position);
    expect([idsOf(late.events), late.damaged]).toEqual([countTo(900, 901 - missing), 0]);
    for (let number = 901; number <= 2000; number++) addEvent(log, numbered(number));
    const grown = imageOf(log);
    await file.write(grown, 0, grown.length, 0);
    expect(idsOf((await poll(file, late.position)).events)).toEqual(countTo(2000, 901));
  });

  it('goes on behind a chunk that stays damaged, and does not count its loss again', async () => {
    const log = logOf(900);
    const damage = offsetsOf(log).get(890)!;
    const harmed = (image: Buffer): Buffer => image.fill(0, damage, damage + 24);
    const name = path.join(await folder(), 'Application.evtx');
    await writeFile(name, harmed(imageOf(log)));
    const file = await open(name, 'r+');
    onTestFinished(() => file.close());
    const first = await pollOut(file);
    expect(idsOf(first.events)).toEqual(countTo(900).filter((id) => id !== 890));
    expect(first.damaged).toBe(1);
    while (log.slots.length < 9) addEvent(log, numbered(log.nextId));
    const grown = harmed(imageOf(log));
    await file.write(grown, 0, grown.length, 0);
    const second = await pollOut(file, first.position);
    expect([idsOf(second.events), second.damaged]).toEqual([countTo(log.nextId - 1, 901), 0]);
  });

  it.each([
    ['shorter', 40],
    ['as long', 900],
    ['longer', 2500],
  ])('reads a cleared log that numbers anew from its beginning (%s)', async (_, count) => {
    const name = path.join(await folder(), 'Application.evtx');
    await writeFile(name, imageOf(logOf(900, { preallocate: true }), 'dirty'));
    const file = await open(name, 'r+');
    onTestFinished(() => file.close());
    const first = await poll(file);
    expect(first.events).toHaveLength(900);
    const fresh = imageOf(logOf(count, { preallocate: true }, { computer: 'EX02', time: start + 1e9 }), 'dirty');
    await file.truncate(0);
    await file.write(fresh, 0, fresh.length, 0);
    const second = await poll(file, first.position);
    expect(idsOf(second.events)).toEqual(countTo(count));
    expect(second.events.every((event) => event.computer === 'EX02')).toBe(true);
  });

  it('reads on in a cleared log that goes on numbering', async () => {
    const name = path.join(await folder(), 'Application.evtx');
    await writeFile(name, imageOf(logOf(900)));
    const file = await open(name, 'r+');
    onTestFinished(() => file.close());
    const first = await poll(file);
    const log = createLog({ firstId: 901 });
    for (let number = 901; number <= 950; number++) addEvent(log, numbered(number));
    const fresh = imageOf(log);
    await file.truncate(0);
    await file.write(fresh, 0, fresh.length, 0);
    expect(idsOf((await poll(file, first.position)).events)).toEqual(countTo(950, 901));
  });

  it('waits for an empty log, and begins anew when what it remembers is not its own', async () => {
    const { fd, log, file } = await live({ preallocate: true });
    const first = await poll(file);
    expect([first.events.length, first.damaged]).toEqual([0, 0]);
    addEvent(log, numbered(1));
    flush(log, fd);
    expect(idsOf((await poll(file, first.position)).events)).toEqual([1]);
    for (const memory of [
      null,
      7,
      'x',
      {},
      { version: 1, highest: 'a' },
      { version: 1, highest: 1, tip: 0, used: 1, written: '', walk: {} },
    ]) {
      expect(idsOf((await poll(file, { offset: 99, memory })).events)).toEqual([1]);
    }
  });
});

describe('damage', () => {
  it('loses no more than the records that were hit', async () => {
    const log = logOf(4000);
    const image = imageOf(log);
    const offsets = offsetsOf(log);
    const victims = [10, 700, 1500, 2500, 3990];
    // Signature, size, and the offset of the template definition: each makes the record unreadable, and no other.
    [0, 4, 5, 34, 0].forEach((at, index) => {
      const offset = offsets.get(victims[index]!)! + at;
      image.writeUInt8(image.readUInt8(offset) ^ 0xff, offset);
    });
    const { events, damaged } = await pollOut(await opened(image));
    expect(idsOf(events)).toEqual(countTo(4000).filter((id) => !victims.includes(id)));
    expect(damaged).toBeGreaterThanOrEqual(victims.length);
  });

  it('reads every record behind a damaged chunk header', async () => {
    const log = logOf(4000);
    for (const at of [0, 24, 33, 48, 49, 52, 124, 200]) {
      const image = imageOf(log);
      for (const slot of [0, 7, log.slots.length - 1]) {
        const offset = fileHeaderSize + slot * chunkSize + at;
        image.writeUInt8(image.readUInt8(offset) ^ 0xff, offset);
      }
      const { events, damaged } = await pollOut(await opened(image));
      expect([at, events.length, damaged]).toEqual([at, 4000, 3]);
      expect(idsOf(events)).toEqual(countTo(4000));
    }
  });

  it('does not believe the file header', async () => {
    const image = imageOf(logOf(1000));
    image.fill(0xff, 8, fileHeaderSize);
    expect((await poll(await opened(image))).events).toHaveLength(1000);
  });

  it('reads a file that was cut off anywhere', async () => {
    const image = imageOf(logOf(600));
    for (const length of [0, 100, 4096, 4097, 4608, 4700, 60_000, 69_632, 69_633, 100_000, 150_000, image.length - 1]) {
      const { events, position } = await pollOut(await opened(image.subarray(0, length)));
      expect(idsOf(events)).toEqual(countTo(events.length));
      expect(events.length).toBeGreaterThanOrEqual(Math.floor(Math.max(0, length - 4608 - 2500) / 500));
      expect(position.offset).toBe(length);
    }
  });

  it('refuses a template that asks for more text than any honest chunk holds', async () => {
    const file = await opened(craftedFile(4000));
    const { events, damaged } = await pollOut(file);
    expect(4000 * 12_000).toBeGreaterThan(effortLimit);
    expect([events.length, damaged]).toEqual([0, 1]);
    const honest = await pollOut(await opened(craftedFile(3)));
    expect([honest.events[0]?.values[0]?.length, honest.damaged]).toEqual([36_000, 0]);
  });

  it('survives 500 random mutations without throwing, hanging or growing', { timeout: 300_000 }, async () => {
    const log = createLog({ maxChunks: 6, leftovers: true });
    for (let number = 1; number <= 1600; number++) {
      const form = (['classic', 'modern', 'forwarded'] as const)[number % 3] ?? 'classic';
      addEvent(log, number % 5 === 0 ? { eventId: 1014, named: { a: 'b', c: 5 }, form } : numbered(number, { form }));
    }
    const image = imageOf(log, 'dirty');
    const name = path.join(await folder(), 'mutated.evtx');
    const random = seeded(2002);
    const rss: number[] = [];
    for (let round = 0; round < 500; round++) {
      const fd = openSync(name, 'w');
      const mutated = mutate(Buffer.from(image), random);
      writeSync(fd, mutated);
      if (random() < 0.1) ftruncateSync(fd, Math.floor(random() * image.length));
      closeSync(fd);
      const file = await open(name, 'r');
      const begun = performance.now();
      const { events, damaged, ignored } = await pollOut(file);
      expect(performance.now() - begun).toBeLessThan(2000);
      expect(events.length + damaged + ignored).toBeLessThan(6 * 2400);
      await file.close();
      rss.push(process.memoryUsage().rss);
    }
    expect(Math.max(...rss) - (rss[50] ?? 0)).toBeLessThan(200 * 1024 * 1024);
  });
});

/** A log whose only record has one value of 12,000 characters, and a template that repeats it so many times. */
function craftedFile(times: number): Buffer {
  const log = createLog({ checksums: false });
  addEvent(log, { repeated: { text: 'y'.repeat(12_000), times } });
  return imageOf(log);
}

type Random = () => number;

/** Mulberry32: the same numbers on every run. */
function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Bytes changed, runs filled or copied elsewhere, sizes set to extremes; half of the files say they have no checksums. */
function mutate(image: Buffer, random: Random): Buffer {
  const place = (): number => Math.floor(random() * (image.length - 8));
  const run = (): [number, number] => {
    const from = place();
    return [from, Math.min(image.length, from + Math.floor(random() * 2000))];
  };
  if (random() < 0.5) image.writeUInt32LE(4, 120);
  for (let times = 1 + Math.floor(random() * 40); times > 0; times--) {
    const kind = random();
    if (kind < 0.5) image.writeUInt8(Math.floor(random() * 256), place());
    else if (kind < 0.7)
      image.writeUInt32LE([0, 1, 0xffff, 0x10000, 0x7fffffff, 0xffffffff][Math.floor(random() * 6)] ?? 0, place());
    else if (kind < 0.85) image.copy(image, place(), place(), place());
    else image.fill(Math.floor(random() * 256), ...run());
  }
  return image;
}

describe('record IDs', () => {
  async function runsOf(content: Buffer, wanted = only2002): Promise<PassResult['runs']> {
    // One pass, however slow the machine is.
    const budget = { bytes: 4 * 1024 * 1024, ms: 60_000 };
    return (await readPass(await opened(content), beginning, wanted, budget)).runs;
  }
  const names = { computer: 'EXCH01.contoso.local', channel: 'Application' };

  it('of a whole log are one run, whether records are wanted or not', async () => {
    const log = createLog({ firstId: 7 });
    for (let number = 1; number <= 500; number++) addEvent(log, numbered(number, { ...names, eventId: 1000 + number }));
    const [firstAt, lastAt] = [start + 1001, start + 500 * 1001];
    expect(await runsOf(imageOf(log))).toEqual([{ ...names, first: 7, last: 506, firstAt, lastAt }]);
  });

  it('tell what was left out', async () => {
    const log = logOf(200, {}, names);
    log.nextId += 5;
    for (let number = 201; number <= 300; number++) addEvent(log, numbered(number, names));
    expect(await runsOf(imageOf(log))).toMatchObject([
      { first: 1, last: 200 },
      { first: 206, last: 305 },
    ]);
  });

  it('of a damaged chunk are all that it had: what is lost there counts as unreadable', async () => {
    const log = logOf(300, {}, names);
    const image = imageOf(log);
    for (const id of [1, 57, 58]) image.fill(0xee, offsetsOf(log).get(id), (offsetsOf(log).get(id) ?? 0) + 32);
    expect(await runsOf(image)).toMatchObject([{ first: 1, last: 300 }]);
  });

  it('of forwarded events are those of another log and tell nothing', async () => {
    const log = createLog();
    for (let number = 1; number <= 50; number++)
      addEvent(log, numbered(number, { form: 'forwarded', originRecordId: 9000 + number }));
    expect(await runsOf(imageOf(log))).toEqual([]);
  });
});
