import { describe, expect, it } from 'vitest';
import { standstillMs, watchProgress } from '../../src/events/sources/progress.js';

const file = { source: '/srv/exports', path: '/srv/exports/a.ndjson' };

function watched() {
  const clock = { ms: 1_000_000 };
  return { clock, progress: watchProgress(() => clock.ms) };
}

describe('a source that makes no progress', () => {
  it('1.1: stands still when reading fails at the same place for a minute, and says where and why', () => {
    const { clock, progress } = watched();
    for (let second = 0; second <= 90; second += 30) {
      progress.begin('1', file, 512);
      progress.fail('1', file, 512, new RangeError('Maximum call stack size exceeded'));
      clock.ms += 30_000;
    }
    expect(progress.standstills('/srv/exports')).toEqual([
      {
        ...file,
        ms: 120_000,
        text: '/srv/exports/a.ndjson: no progress for a minute or more at byte 512; reading fails: Maximum call stack size exceeded',
      },
    ]);
    expect(progress.standstills('another')).toEqual([]);
  });

  it('stands still when a read does not end', () => {
    const { clock, progress } = watched();
    progress.begin('1', file, 0);
    clock.ms += standstillMs - 1;
    expect(progress.standstills('/srv/exports')).toEqual([]);
    clock.ms += 1;
    expect(progress.standstills('/srv/exports')[0]?.text).toContain('reading it hangs');
    progress.end('1');
    expect(progress.standstills('/srv/exports')).toEqual([]);
  });

  it('moves on when the failures come at other places, and is forgotten when the file is gone', () => {
    const { clock, progress } = watched();
    for (let offset = 0; offset < 10; offset++) {
      progress.fail('1', file, offset, new Error('EIO'));
      clock.ms += 50_000;
    }
    expect(progress.standstills('/srv/exports')).toEqual([]);
    clock.ms += 10_000;
    expect(progress.standstills('/srv/exports')).toHaveLength(1);
    progress.keepOnly(new Set(['2']));
    expect(progress.standstills('/srv/exports')).toEqual([]);
  });
});
