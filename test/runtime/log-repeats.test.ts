import { expect, onTestFinished, test, vi } from 'vitest';
import { createLog } from '../../src/runtime/log.js';
import { withoutRepeats } from '../../src/runtime/log-repeats.js';

function logging(): { log: ReturnType<typeof withoutRepeats>; lines: string[] } {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line.replace(/^ts=\S+ /, ''));
  return { log: withoutRepeats(createLog({ level: 'info', format: 'logfmt', write })), lines };
}

test('what is said again within a minute is counted, and summed up once', () => {
  const { log, lines } = logging();
  for (let second = 0; second < 50; second++) {
    log.warn('cannot read', { source: 'a' });
    vi.advanceTimersByTime(1000);
  }
  expect(lines).toEqual(['level=warn msg="cannot read" source=a\n']);
  vi.advanceTimersByTime(10_000);
  expect(lines).toEqual([
    'level=warn msg="cannot read" source=a\n',
    'level=warn msg="cannot read" source=a repeated=49\n',
  ]);
  log.warn('cannot read', { source: 'a' });
  expect(lines).toHaveLength(3);
});

test('other facts, another level and what is no trouble are said each time', () => {
  const { log, lines } = logging();
  log.warn('cannot read', { source: 'a' });
  log.warn('cannot read', { source: 'b' });
  log.error('cannot read', { source: 'a' });
  log.info('readable again');
  log.info('readable again');
  expect(lines).toHaveLength(5);
});

test('a flood of different messages is said, and remembered within bounds', () => {
  const { log, lines } = logging();
  log.warn('first');
  log.warn('first');
  for (let n = 0; n < 600; n++) log.warn('cannot read', { n });
  expect(lines).toHaveLength(602);
  expect(lines).toContain('level=warn msg=first repeated=1\n');
});
