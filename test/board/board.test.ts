import { describe, expect, test } from 'vitest';
import { createBoard } from '../../src/board/board.js';
import { durationBounds } from '../../src/board/durations.js';
import type { ProbeResult, StepResult } from '../../src/model/probes.js';
import type { Reason } from '../../src/model/words.js';

function result(at: number, reason?: Reason, more: Partial<ProbeResult> = {}): ProbeResult {
  const destination = more.destination ?? '10.0.0.1:25';
  const steps: readonly StepResult[] = reason
    ? [{ step: 'tcp', seconds: 0.02, outcome: 'failed', reason, detail: 'words' }]
    : [
        { step: 'tcp', seconds: 0.02, outcome: 'passed' },
        { step: 'banner', seconds: 30, outcome: 'passed' },
      ];
  return {
    id: `${destination}@${at}`,
    destination,
    host: '10.0.0.1',
    origin: 'observed',
    at,
    seconds: 1,
    success: reason === undefined,
    failedStep: reason && 'tcp',
    reason,
    steps,
    facts: {},
    transcript: [{ ms: 0, direction: '*', text: `visit at ${at}` }],
    ...more,
  };
}

describe('board', () => {
  test('counts probes and failed steps, fatal or not', () => {
    const board = createBoard({ clock: () => 0 });
    board.post(result(1));
    board.post(result(2, 'refused'));
    board.post(result(3, 'refused'));
    board.post(result(4, 'timeout'));
    const warned: readonly StepResult[] = [
      { step: 'tls', seconds: 0.1, outcome: 'failed', reason: 'certificate_expired' },
    ];
    board.post(result(5, undefined, { steps: warned, warning: { step: 'tls', reason: 'certificate_expired' } }));
    expect(board.entry('10.0.0.1:25')).toMatchObject({
      probes: 5,
      lastSuccessAt: 5,
      failures: [
        { step: 'tcp', reason: 'refused', count: 2 },
        { step: 'tcp', reason: 'timeout', count: 1 },
        { step: 'tls', reason: 'certificate_expired', count: 1 },
      ],
    });
    expect(board.latest('10.0.0.1:25')?.at).toBe(5);
    expect(board.entry('10.0.0.2:25')).toBeUndefined();
  });

  test('keeps durations of the steps that ran, in buckets', () => {
    const board = createBoard({ clock: () => 0 });
    board.post(result(1));
    board.post(result(2));
    const durations = board.entry('10.0.0.1:25')?.durations ?? [];
    expect(durations.map(({ step, count, sum }) => ({ step, count, sum }))).toEqual([
      { step: 'tcp', count: 2, sum: 0.04 },
      { step: 'banner', count: 2, sum: 60 },
    ]);
    expect(durations[0]?.buckets).toEqual([0, 2, 0, 0, 0, 0, 0]);
    expect(durations[1]?.buckets.at(-1)).toBe(2);
    expect(durations[0]?.buckets).toHaveLength(durationBounds.length + 1);
  });

  test('tells since when a destination fails', () => {
    const board = createBoard({ clock: () => 0 });
    const since = (): number | undefined => board.entry('10.0.0.1:25')?.failingSince;
    board.post(result(1));
    expect(since()).toBeUndefined();
    board.post(result(2, 'refused'));
    board.post(result(3, 'timeout'));
    expect(since()).toBe(2);
    expect(board.entry('10.0.0.1:25')?.failedInARow).toBe(2);
    board.post(result(4));
    expect(since()).toBeUndefined();
    board.post(result(5, 'refused'));
    expect(since()).toBe(5);
  });

  test('does not call a destination failing that policy kept us from', () => {
    const board = createBoard({ clock: () => 0 });
    board.post(result(1, 'blocked_by_policy'));
    expect(board.entry('10.0.0.1:25')).toMatchObject({
      failingSince: undefined,
      durations: [],
      lastSuccessAt: undefined,
    });
    expect(board.entry('10.0.0.1:25')?.failures).toEqual([{ step: 'tcp', reason: 'blocked_by_policy', count: 1 }]);
  });

  test('keeps the latest ping and path of a destination that was probed', () => {
    const board = createBoard({ clock: () => 0 });
    const ping = { at: 1, program: 'ping', state: 'done', sent: 4, received: 4 } as const;
    const path = {
      at: 1,
      program: 'mtr',
      state: 'done',
      reached: true,
      hops: [{ hop: 1, address: '10.0.0.1' }],
    } as const;
    board.postPing('10.0.0.1:25', ping);
    expect(board.entry('10.0.0.1:25')).toBeUndefined();
    board.post(result(1));
    expect(board.entry('10.0.0.1:25')).toMatchObject({ ping: undefined, path: undefined });
    board.postPing('10.0.0.1:25', ping);
    board.postPing('10.0.0.1:25', { ...ping, at: 2, received: 3 });
    board.postPath('10.0.0.1:25', path);
    board.post(result(2));
    expect(board.entry('10.0.0.1:25')).toMatchObject({ ping: { at: 2, received: 3 }, path });
  });

  test('counts a visit once that two targets shared', () => {
    const board = createBoard({ clock: () => 0 });
    board.post(result(1));
    board.post(result(1));
    expect(board.entry('10.0.0.1:25')?.probes).toBe(1);
  });

  test('keeps failed visits longer than good ones, finds them by id, newest first', () => {
    const board = createBoard({ clock: () => 0, keepGood: 2, keepFailed: 3 });
    for (let at = 1; at <= 4; at += 1) board.post(result(at, 'refused'));
    for (let at = 5; at <= 20; at += 1) board.post(result(at));
    expect(board.history('10.0.0.1:25').map(({ at }) => at)).toEqual([20, 19, 4, 3, 2]);
    expect(board.visit('10.0.0.1:25@4')?.transcript[0]?.text).toBe('visit at 4');
    expect(board.visit('10.0.0.1:25@5')).toBeUndefined();
    expect(board.visit('nonsense')).toBeUndefined();
    expect(board.history('10.0.0.9:25')).toEqual([]);
    expect(board.entry('10.0.0.1:25')).toMatchObject({ lastGood: { at: 20 }, lastFailed: { at: 4 } });
  });

  test('is bounded over all destinations, but keeps the last good and the last failed of each', () => {
    const board = createBoard({ clock: () => 0, keepInAll: 100 });
    let at = 0;
    for (let round = 0; round < 5; round += 1) {
      for (let host = 0; host < 200; host += 1) {
        const destination = `10.0.0.${host}:25`;
        board.post(result((at += 1), 'refused', { destination }));
        board.post(result((at += 1), undefined, { destination }));
      }
    }
    const kept = board.entries().map(({ destination }) => board.history(destination));
    expect(kept.flat().length).toBeLessThanOrEqual(500);
    for (const visits of kept) {
      expect(visits.some(({ success }) => success)).toBe(true);
      expect(visits.some(({ success }) => !success)).toBe(true);
    }
  });

  test('forgets a destination that is no longer a target', () => {
    let now = 0;
    const board = createBoard({ clock: () => now, forgetAfterMs: 3600_000 });
    board.post(result(0, undefined, { destination: '10.0.0.1:25' }));
    now = 3000_000;
    board.post(result(now, undefined, { destination: '10.0.0.2:25' }));
    expect(board.entries()).toHaveLength(2);
    now = 3700_000;
    expect(board.entries().map(({ destination }) => destination)).toEqual(['10.0.0.2:25']);
  });
});
