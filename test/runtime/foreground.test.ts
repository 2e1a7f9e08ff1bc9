/** Reading pauses while somebody waits for a page. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { createForeground, foreground } from '../../src/runtime/foreground.js';
import { ledgerOf } from '../support/books.js';
import { metricsOf } from '../support/metrics-of.js';

test('a page of metrics reads on first, then is put together while reading pauses', async () => {
  const done: string[] = [];
  const noted = (what: string): Promise<void> => {
    done.push(`${what} ${foreground.over() ? 'waits' : 'goes on'}`);
    return Promise.resolve();
  };
  const ledger = ledgerOf({
    hurried: () => noted('saving'),
    scrape: () => {
      void noted('reading');
      return { rows: [], held: 0, readBy: () => Promise.resolve() };
    },
  });
  await metricsOf(ledger, { look: () => noted('look:') }).render('127.0.0.1');
  expect(done).toEqual(['look: goes on', 'saving goes on', 'reading waits']);
  expect(foreground.over()).toBeUndefined();
});

test('other work pauses until nobody waits, and no longer than a moment', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const { begin, over } = createForeground();
  expect(over()).toBeUndefined();
  const [one, other] = [begin(), begin()];
  const done: string[] = [];
  const pause = over()?.then(() => done.push('paused'));
  one();
  one();
  await vi.advanceTimersByTimeAsync(10);
  expect(done).toEqual([]);
  other();
  await pause;
  expect(over()).toBeUndefined();

  begin();
  const long = over();
  await vi.advanceTimersByTimeAsync(100);
  await long;
});
