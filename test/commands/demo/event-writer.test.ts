import { appendFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { keepWriting, winlogbeatLine } from '../../../src/commands/demo/event-writer.js';
import type { Outage } from '../../../src/commands/demo/outage.js';
import { winlogbeat } from '../../../src/events/formats/winlogbeat.js';

const outage: Outage = {
  computer: 'EXCH01.contoso.example',
  connector: 'To Branch Office München',
  destination: '127.0.0.1:2525',
  ending: 'refused',
  firstAfter: 1,
  every: 20,
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'event-writer-'));
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 15, 8, 14, 2, 137) });
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});

it('writes events that are read as any event 2002 of Winlogbeat', () => {
  const line = winlogbeatLine(outage, 184_467, new Date());
  expect(line.endsWith('\n')).toBe(true);
  expect(winlogbeat.recognises(line)).toBe(true);
  expect(winlogbeat.decode(line.trimEnd())).toEqual([
    {
      kind: 'event',
      provider: 'MSExchangeTransport',
      eventId: 2002,
      channel: 'Application',
      computer: 'EXCH01.contoso.example',
      recordId: 184_467,
      time: Date.UTC(2026, 0, 15, 8, 14, 2, 137),
      values: ['To Branch Office München', '127.0.0.1:2525'],
      // Not needed beside the strings.
      message: undefined,
    },
  ]);
});

it('has every field that Winlogbeat 8 writes for such an event', async () => {
  const sample = (await readFile('test/fixtures/events/winlogbeat-8.ndjson', 'utf8')).split('\n')[0]!;
  const [written, expected] = [winlogbeatLine(outage, 1, new Date()), sample].map((line) => fieldsOf(JSON.parse(line)));
  expect(written).toEqual(expected);
});

it('appends each outage at its own pace, with record IDs that rise by one on each server', async () => {
  const file = join(folder, 'events.ndjson');
  const other = { ...outage, computer: 'EXCH02.contoso.example', firstAfter: 3, every: 30 };
  const stop = keepWriting(
    (line) => {
      appendFileSync(file, line);
    },
    [outage, other],
  );
  vi.advanceTimersByTime(1_000);
  expect(await idsIn(file)).toEqual(['EXCH01 184467']);
  vi.advanceTimersByTime(44_000);
  expect(await idsIn(file)).toEqual([
    'EXCH01 184467',
    'EXCH02 184467',
    'EXCH01 184468',
    'EXCH02 184468',
    'EXCH01 184469',
  ]);
  stop();
  vi.advanceTimersByTime(600_000);
  expect(await idsIn(file)).toHaveLength(5);
});

async function idsIn(file: string): Promise<string[]> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  return lines.map((line) => {
    const { agent, winlog } = JSON.parse(line) as { agent: { name: string }; winlog: { record_id: number } };
    return `${agent.name} ${winlog.record_id}`;
  });
}

/** Paths of all fields, in the order of the alphabet. */
function fieldsOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value)
    .flatMap(([key, inner]) => fieldsOf(inner, `${path}/${key}`))
    .sort();
}
