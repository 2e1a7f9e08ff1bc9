import { expect, onTestFinished, test } from 'vitest';
import { watchClock } from '../../src/health/clock.js';

function clock() {
  const time = { wall: 1_000_000, steady: 0 };
  const said: unknown[] = [];
  const watch = watchClock({
    now: () => time.wall,
    steady: () => time.steady,
    log: { warn: (_message, fields) => said.push(fields) },
  });
  onTestFinished(watch.close);
  const pass = (ms: number, jump = 0): void => {
    time.wall += ms + jump;
    time.steady += ms;
    watch.check();
  };
  return { watch, pass, said };
}

test('a clock that runs on, and one that a time service corrects, does not jump', () => {
  const { watch, pass, said } = clock();
  pass(2000);
  pass(600_000, -900);
  pass(2000, 4000);
  expect([watch.jumps(), watch.notice(), said]).toEqual([{ back: 0, forward: 0 }, undefined, []]);
});

test('an hour back, and a night suspended, are counted, logged once and told for an hour', () => {
  const { watch, pass, said } = clock();
  pass(2000, -3_600_000);
  expect(watch.notice()).toContain('went back by 3600 s');
  pass(2000);
  pass(2000, 8 * 3_600_000);
  expect(watch.notice()).toContain('suspended');
  expect(watch.jumps()).toEqual({ back: 1, forward: 1 });
  expect(said).toEqual([{ seconds: -3600 }, { seconds: 28_800 }]);
  pass(3_600_000);
  expect(watch.notice()).toBeUndefined();
});
