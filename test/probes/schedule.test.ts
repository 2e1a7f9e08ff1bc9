import { describe, expect, test } from 'vitest';
import type { ProbeResult } from '../../src/model/probes.js';
import type { Target } from '../../src/model/connectors.js';
import { createDueQueue } from '../../src/probes/due-queue.js';
import { startSchedule, type Schedule, type ScheduleOptions } from '../../src/probes/schedule.js';
import type { ScheduleClock } from '../../src/probes/schedule-clock.js';
import { paceOf } from '../../src/probes/targets.js';

/** A clock that moves only when told to, jumping from alarm to alarm. */
type FakeClock = ScheduleClock & { readonly advance: (ms: number) => Promise<void> };

function createFakeClock(): FakeClock {
  let now = 0;
  const alarms = createDueQueue<{ run: () => void; off: boolean }>();
  return {
    now: () => now,
    after(ms, run) {
      const alarm = { run, off: false };
      alarms.push(now + ms, alarm);
      return () => {
        alarm.off = true;
      };
    },
    async advance(ms) {
      const end = now + ms;
      for (let due = alarms.nextDue(); due !== undefined && due <= end; due = alarms.nextDue()) {
        const alarm = alarms.pop();
        if (alarm?.off !== false) continue;
        now = Math.max(now, due);
        alarm.run();
        await settled();
      }
      now = end;
    },
  };
}

/** Lets everything that was resolved run. */
async function settled(): Promise<void> {
  for (let round = 0; round < 10; round += 1) await Promise.resolve();
}

function targetNamed(destination: string, origin: Target['origin'] = 'configured'): Target {
  return { destination, host: destination.replace(/:\d+$/, ''), port: 25, origin };
}

function resultOf(target: Target, at: number, success = true): ProbeResult {
  return {
    id: `${target.destination}@${at}`,
    destination: target.destination,
    host: target.host,
    origin: target.origin,
    at,
    seconds: 0,
    success,
    failedStep: success ? undefined : 'tcp',
    reason: success ? undefined : 'timeout',
    steps: [],
    facts: {},
    transcript: [],
  };
}

type World = {
  readonly clock: FakeClock;
  readonly schedule: Schedule;
  /** Starts of visits by destination. */
  readonly starts: Map<string, number[]>;
  readonly posted: ProbeResult[];
  readonly most: () => number;
  targets: readonly Target[];
};

/** A schedule whose visits last as long as `lasts` says; black holes fail after that. */
function startWorld(
  targets: readonly Target[],
  lasts: (target: Target) => number,
  options: Partial<ScheduleOptions> & { readonly fails?: (target: Target) => boolean } = {},
): World {
  const clock = createFakeClock();
  const starts = new Map<string, number[]>();
  const posted: ProbeResult[] = [];
  const underWay = new Set<string>();
  let most = 0;
  const { fails, ...rest } = options;
  const holder = { targets };
  const schedule = startSchedule({
    targets: () => holder.targets,
    post: (result) => posted.push(result),
    pace: () => 30_000,
    clock,
    visit(target, signal) {
      if (underWay.has(target.destination)) throw new Error(`two visits of ${target.destination}`);
      underWay.add(target.destination);
      most = Math.max(most, underWay.size);
      const at = clock.now();
      starts.set(target.destination, [...(starts.get(target.destination) ?? []), at]);
      return new Promise((resolve) => {
        const end = (): void => {
          underWay.delete(target.destination);
          signal.removeEventListener('abort', end);
          resolve([resultOf(target, at, !fails?.(target))]);
        };
        clock.after(lasts(target), end);
        signal.addEventListener('abort', end);
      });
    },
    bug(error) {
      throw error;
    },
    ...rest,
  });
  return {
    clock,
    schedule,
    starts,
    posted,
    most: () => most,
    get targets() {
      return holder.targets;
    },
    set targets(next) {
      holder.targets = next;
    },
  };
}

describe('schedule', () => {
  test('asks a lone newcomer at once and then at a fixed rate', async () => {
    const world = startWorld([], () => 100);
    await world.clock.advance(5500);
    world.targets = [targetNamed('10.0.0.1:25')];
    await world.clock.advance(1500);
    const first = world.starts.get('10.0.0.1:25')?.[0] ?? 0;
    expect(first).toBeGreaterThanOrEqual(5500);
    expect(first).toBeLessThanOrEqual(7000);
    await world.clock.advance(120_000);
    expect(world.starts.get('10.0.0.1:25')?.map((at) => Math.round((at - first) / 1000))).toEqual([0, 30, 60, 90, 120]);
    await world.schedule.stop();
  });

  test('spreads many newcomers over time, the same way each time', async () => {
    const targets = Array.from({ length: 500 }, (_, index) => targetNamed(`10.0.${index}.1:25`));
    const runs = [startWorld(targets, () => 10), startWorld(targets, () => 10)];
    for (const world of runs) await world.clock.advance(30_000);
    const [first, second] = runs.map((world) =>
      targets.map(({ destination }) => world.starts.get(destination)?.[0] ?? NaN),
    );
    expect(first).toEqual(second);
    const inEachSecond = Array.from(
      { length: 25 },
      (_, s) => first!.filter((at) => at >= s * 1000 && at < s * 1000 + 1000).length,
    );
    expect(Math.min(...inEachSecond)).toBeGreaterThan(5);
    expect(Math.max(...inEachSecond)).toBeLessThan(45);
    await Promise.all(runs.map((world) => world.schedule.stop()));
  });

  test('visits one destination never twice at a time, and keeps its rate when a visit lasts longer', async () => {
    const world = startWorld([targetNamed('10.0.0.1:25')], () => 45_000);
    await world.clock.advance(200_000);
    const starts = world.starts.get('10.0.0.1:25') ?? [];
    expect(starts.slice(1).map((at, index) => Math.round((at - starts[index]!) / 1000))).toEqual([60, 60, 60]);
    await world.schedule.stop();
  });

  test('holds its bound, queues the rest, and lets slow ones take half of it at most', async () => {
    const slow = Array.from({ length: 20 }, (_, index) => targetNamed(`10.1.0.${index}:25`));
    const quick = Array.from({ length: 20 }, (_, index) => targetNamed(`10.2.0.${index}:25`));
    const world = startWorld(
      [...slow, ...quick],
      ({ destination }) => (destination.startsWith('10.1') ? 45_000 : 100),
      { concurrency: 8 },
    );
    await world.clock.advance(60_000);
    expect(world.most()).toBe(8);
    expect(world.schedule.queueLength()).toBeGreaterThan(0);
    await world.clock.advance(240_000);
    const before = quick.map(({ destination }) => world.starts.get(destination)?.length ?? 0);
    await world.clock.advance(60_000);
    const visits = quick.map(({ destination }, index) => (world.starts.get(destination)?.length ?? 0) - before[index]!);
    expect(Math.min(...visits)).toBe(2);
    await world.schedule.stop();
  });

  test('backs off while a destination fails, and returns when it answers', async () => {
    let down = true;
    const pace = paceOf({ interval: 30_000 });
    const world = startWorld([targetNamed('10.0.0.1:25')], () => 0, { pace, fails: () => down });
    await world.clock.advance(600_000);
    down = false;
    await world.clock.advance(240_000);
    const starts = world.starts.get('10.0.0.1:25') ?? [];
    const gaps = starts.slice(1).map((at, index) => Math.round((at - starts[index]!) / 1000));
    expect(gaps.slice(0, 5)).toEqual([30, 30, 60, 120, 120]);
    expect(gaps.at(-1)).toBe(30);
    await world.schedule.stop();
  });

  test('drops a target that is gone, takes over new settings, and posts nothing for it', async () => {
    const world = startWorld([targetNamed('10.0.0.1:25'), targetNamed('10.0.0.2:25')], () => 5000);
    await world.clock.advance(1000);
    world.targets = [{ ...targetNamed('10.0.0.2:25'), host: 'mail.contoso.example' }];
    await world.clock.advance(100_000);
    expect(world.starts.get('10.0.0.1:25')).toHaveLength(1);
    expect(world.posted.map(({ destination }) => destination)).not.toContain('10.0.0.1:25');
    expect(world.posted.at(-1)?.host).toBe('mail.contoso.example');
    await world.schedule.stop();
  });

  test('stops: calls the running visits off, waits for them, and starts no more', async () => {
    const world = startWorld([targetNamed('10.0.0.1:25')], () => 1e9);
    await world.clock.advance(1000);
    expect(world.starts.size).toBe(1);
    await world.schedule.stop();
    await world.clock.advance(100_000);
    expect(world.starts.get('10.0.0.1:25')).toHaveLength(1);
    expect(world.posted).toEqual([]);
  });

  test('goes on after a visit that throws', async () => {
    const errors: unknown[] = [];
    const world = startWorld([targetNamed('10.0.0.1:25')], () => 0, {
      visit: () => Promise.reject(new Error('a bug')),
      bug: (error) => errors.push(error),
    });
    await world.clock.advance(70_000);
    expect(errors).toHaveLength(3);
    await world.schedule.stop();
  });

  test.each([
    [128, 10_000],
    [128, 45_000],
  ])('visits every good one of 2,000 on time in %i places, with 200 black holes of %i ms', async (places, holeMs) => {
    const targets = Array.from({ length: 2000 }, (_, index) => targetNamed(`10.${index >> 8}.${index & 255}.1:25`));
    const hole = new Set(targets.filter((_, index) => index % 10 === 0));
    const pace = paceOf({ interval: 30_000 });
    const world = startWorld(targets, (target) => (hole.has(target) ? holeMs : 50), {
      concurrency: places,
      pace,
      fails: (target) => hole.has(target),
    });
    await world.clock.advance(3600_000);
    const delays: number[] = [];
    for (const target of targets) {
      const starts = world.starts.get(target.destination) ?? [];
      if (hole.has(target)) continue;
      expect(starts.length).toBeGreaterThanOrEqual(119);
      starts.forEach((at, index) => delays.push(at - (starts[0]! + index * 30_000)));
    }
    delays.sort((a, b) => a - b);
    expect(delays[Math.floor(delays.length * 0.99)]).toBeLessThan(1500);
    expect(world.most()).toBeLessThanOrEqual(places);
    await world.schedule.stop();
  });
});

test('the due queue gives the earliest first', () => {
  const queue = createDueQueue<number>();
  const dues = Array.from({ length: 1000 }, (_, index) => (index * 7919) % 1009);
  for (const due of dues) queue.push(due, due);
  const taken = Array.from({ length: queue.size() }, () => queue.pop());
  expect(taken).toEqual(dues.sort((a, b) => a - b));
  expect(queue.pop()).toBeUndefined();
  expect(queue.nextDue()).toBeUndefined();
});
