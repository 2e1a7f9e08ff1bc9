import { expect, onTestFinished, test } from 'vitest';
import { watchBacklog } from '../../src/health/backlog.js';

const mebibyte = 2 ** 20;

function world() {
  const told: string[] = [];
  const source = { lagBytes: 0, bytesRead: 0 };
  const clock = { ms: 0 };
  const watch = watchBacklog({
    sources: () => [source, { lagBytes: 0, bytesRead: 0 }],
    steady: () => clock.ms,
    log: { info: (message, fields) => told.push(`${message} ${JSON.stringify(fields)}`) },
  });
  onTestFinished(watch.close);
  const read = (seconds: number, mebibytesASecond: number): void => {
    for (let second = 0; second < seconds; second++) {
      clock.ms += 1_000;
      const bytes = Math.min(source.lagBytes, mebibytesASecond * mebibyte);
      source.lagBytes -= bytes;
      source.bytesRead += bytes;
      watch.check();
    }
  };
  return { told, source, watch, read };
}

test('3.4: of a backlog the log tells at once, then once a minute how far it is, and at its end that it is caught up', () => {
  const { told, source, watch, read } = world();
  source.lagBytes = 1_536 * mebibyte;
  watch.check();
  expect(watch.status()).toEqual({ leftBytes: 1_536 * mebibyte, secondsLeft: undefined });
  read(59, 12);
  expect(told).toEqual(['reading a backlog {"left":"1536 MiB","read":"0 MiB"}']);
  read(5, 12);
  expect(watch.status()).toEqual({ leftBytes: 768 * mebibyte, secondsLeft: 64 });
  expect(told.slice(1)).toEqual(['reading a backlog {"left":"816 MiB","read":"720 MiB","seconds_left":68}']);
  read(64, 12);
  expect(told.slice(2)).toEqual([
    'reading a backlog {"left":"96 MiB","read":"1440 MiB","seconds_left":8}',
    'caught up {"read":"1536 MiB","seconds":128}',
  ]);
  expect(watch.status()).toBeUndefined();
  read(600, 12);
  expect(told).toHaveLength(4);
});

test('3.4: what is read in passing is no backlog; one that stands still has no end that could be told', () => {
  const { told, source, watch, read } = world();
  source.lagBytes = 8 * mebibyte;
  read(10, 1);
  expect(told).toEqual([]);
  source.lagBytes = 100 * mebibyte;
  read(100, 0);
  expect(watch.status()).toEqual({ leftBytes: 100 * mebibyte, secondsLeft: undefined });
  expect(told).toHaveLength(2);
  // A changed configuration opens the sources anew.
  source.bytesRead = 0;
  watch.check();
  read(30, 10);
  expect(told.slice(2)).toEqual([expect.stringContaining('reading a backlog'), expect.stringContaining('caught up')]);
});
