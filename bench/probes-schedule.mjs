/**
 * The schedule and the board through an hour of 2,000 destinations, 200 of them black holes, on a clock of its own: how
 * late visits begin, how long one turn holds the event loop, how the heap grows.
 */
import { readFileSync } from 'node:fs';
import { createBoard } from '../dist/board/board.js';
import { createDueQueue } from '../dist/probes/due-queue.js';
import { startSchedule } from '../dist/probes/schedule.js';
import { paceOf, targetOf } from '../dist/probes/targets.js';

const hourMs = 3600_000;
const intervalMs = 30_000;
const targets = Array.from({ length: 2000 }, (_, index) =>
  targetOf(`10.${index >> 8}.${index & 255}.1:25`, 'configured'),
);
const holes = new Set(targets.filter((_, index) => index % 10 === 0));
let now = 0;
const alarms = createDueQueue();
const clock = {
  now: () => now,
  after(ms, run) {
    const alarm = { run, off: false };
    alarms.push(now + ms, alarm);
    return () => (alarm.off = true);
  },
};
const board = createBoard({ clock: () => now });
const starts = new Map();
startSchedule({
  targets: () => targets,
  visit: (target) => {
    const at = now;
    starts.set(target, [...(starts.get(target) ?? []), at].slice(-150));
    return new Promise((resolve) =>
      clock.after(holes.has(target) ? 10_000 : 50, () => resolve([resultOf(target, at)])),
    );
  },
  post: board.post,
  pace: paceOf({ interval: intervalMs }),
  clock,
});
/** CPU and not time, of this thread and not of the collector's: what else runs on this machine holds no event loop. */
const mainThreadMs = () => Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;
const heaps = [];
let longestMs = 0;
let visits = 0;
for (let minute = 1; minute <= 60; minute++) {
  const end = (minute * hourMs) / 60;
  for (let due = alarms.nextDue(); due !== undefined && due <= end; due = alarms.nextDue()) {
    const alarm = alarms.pop();
    if (alarm.off) continue;
    now = Math.max(now, due);
    const begun = mainThreadMs();
    alarm.run();
    for (let round = 0; round < 10; round++) await undefined;
    longestMs = Math.max(longestMs, mainThreadMs() - begun);
  }
  if (minute % 20 === 0) {
    globalThis.gc();
    heaps.push((process.memoryUsage().heapUsed / 2 ** 20).toFixed(1));
  }
}
const delays = [];
for (const [target, times] of starts) {
  visits += times.length;
  if (!holes.has(target)) times.forEach((at, index) => delays.push(at - (times[0] + index * intervalMs)));
}
delays.sort((a, b) => a - b);
const p99 = delays[Math.floor(delays.length * 0.99)];
console.log(
  `schedule: ${visits} visits in an hour; p99 of the delay of good ones ${p99} ms; longest turn ${longestMs.toFixed(1)} ms of CPU; ` +
    `heap after 20, 40, 60 minutes ${heaps.join(', ')} MiB`,
);

function resultOf(target, at) {
  const success = !holes.has(target);
  const { destination, host, origin } = target;
  const step = {
    step: 'tcp',
    seconds: 0.05,
    ...(success ? { outcome: 'passed' } : { outcome: 'failed', reason: 'timeout' }),
  };
  const base = {
    id: `${destination}@${at}`,
    destination,
    host,
    origin,
    at,
    seconds: 0.05,
    success,
    steps: [step],
    facts: {},
  };
  const transcript = Array.from({ length: 12 }, (_, index) => ({
    ms: index,
    direction: '<',
    text: `250 line ${index} at ${at}`,
  }));
  return { ...base, failedStep: success ? undefined : 'tcp', reason: success ? undefined : 'timeout', transcript };
}
