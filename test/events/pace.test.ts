/** When the loop over all files goes on: by itself, and because somebody looks. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { createPace } from '../../src/events/sources/files/pace.js';

test('whoever looks ends the sleep, and waits for the round that follows, but not for long and not for a loop at work', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const pace = createPace();
  const done: string[] = [];
  const told = (what: string, of: Promise<void>): Promise<void> => of.then(() => void done.push(what));

  await told('at work', pace.look());
  const sleep = told('slept', pace.sleep(1_000));
  const look = told('looked', pace.look());
  await sleep;
  expect(done).toEqual(['at work', 'slept']);
  await vi.advanceTimersByTimeAsync(10);
  const second = told('slept again', pace.sleep(1_000));
  await look;
  expect(done).toEqual(['at work', 'slept', 'looked']);

  // It has worked for 10 ms, and rests for four times as long whoever looks.
  await told('too soon', pace.look());
  await vi.advanceTimersByTimeAsync(41);
  const late = told('long round', pace.look());
  await second;
  await vi.advanceTimersByTimeAsync(30);
  await late;
  expect(done.slice(3)).toEqual(['too soon', 'slept again', 'long round']);

  const last = pace.sleep(1_000);
  await vi.advanceTimersByTimeAsync(500);
  const atEnd = pace.look();
  pace.stop();
  await Promise.all([last, atEnd, pace.look()]);
});
