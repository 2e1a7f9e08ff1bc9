/** Decides WHEN each target is visited: spread, at a fixed rate, never two visits of one target at a time. */
import { setMaxListeners } from 'node:events';
import type { Target } from '../model/connectors.js';
import type { ProbeResult } from '../model/probes.js';
import { createDueQueue } from './due-queue.js';
import { type ScheduleClock, systemClock } from './schedule-clock.js';
import { fractionOf } from './spread.js';

export type ScheduleOptions = {
  /** The targets of the moment; asked once a second, so give the same array while nothing has changed. */
  readonly targets: () => readonly Target[];
  readonly visit: (target: Target, signal: AbortSignal) => Promise<readonly ProbeResult[]>;
  readonly post: (result: ProbeResult) => void;
  /** Milliseconds from one visit of a target to its next; `failures` counts the failed visits in a row. */
  readonly pace: (target: Target, failures: number) => number;
  /** Most visits at a time. @default 128 */
  readonly concurrency?: number;
  /** Told when `visit` throws, which is a bug: the schedule goes on. */
  readonly bug?: (error: unknown, target: Target) => void;
  readonly clock?: ScheduleClock;
};

export type Schedule = {
  /** Starts no more visits, calls the running ones off, and waits until they have cleaned up. */
  readonly stop: () => Promise<void>;
  /** Visits that are due but waiting for a free slot. */
  readonly queueLength: () => number;
  /**
   * The end of the visit of this destination that runs or waits for a place. One that was never visited is visited at once,
   * and this counts as its first visit; otherwise none begins because somebody asks.
   * @returns undefined when there is nothing to wait for
   */
  readonly visitUnderWay: (destination: string) => Promise<void> | undefined;
};

/** How often the list of targets is compared with the appointments. */
const syncMs = 1000;

/** Newcomers that arrive together are spread over this long for each: one is asked at once, 2,000 over 100 s. */
const spreadMs = 50;

/** A target whose last visit took longer is slow: slow ones never take more than half of the places. */
const slowMs = 2000;

type Appointment = {
  target: Target;
  /** When its next (or present) visit was to begin. */
  due: number;
  failures: number;
  slow: boolean;
  gone: boolean;
  /** Undefined before the first visit. */
  stage: 'waiting' | 'running' | 'done' | undefined;
  /** Called once when the visit that runs or waits has ended. */
  readonly atItsEnd: (() => void)[];
};

type State = {
  readonly options: ScheduleOptions;
  readonly clock: ScheduleClock;
  readonly concurrency: number;
  readonly byDestination: Map<string, Appointment>;
  readonly due: ReturnType<typeof createDueQueue<Appointment>>;
  /** Due, waiting for a place; the slow ones apart, so that black holes do not hold up the others. */
  readonly waiting: { readonly quick: Appointment[]; readonly slow: Appointment[] };
  readonly running: Set<Promise<void>>;
  runningSlow: number;
  seen: readonly Target[] | undefined;
  nextSync: number;
  cancelAlarm: () => void;
  readonly controller: AbortController;
};

/** Starts to visit; the first visits of targets already known are spread by a hash of their names. */
export function startSchedule(options: ScheduleOptions): Schedule {
  const clock = options.clock ?? systemClock;
  const state: State = {
    options,
    clock,
    concurrency: options.concurrency ?? 128,
    byDestination: new Map(),
    due: createDueQueue(),
    waiting: { quick: [], slow: [] },
    running: new Set(),
    runningSlow: 0,
    seen: undefined,
    nextSync: clock.now(),
    cancelAlarm: () => undefined,
    controller: new AbortController(),
  };
  setMaxListeners(0, state.controller.signal);
  tick(state);
  return {
    async stop() {
      state.cancelAlarm();
      state.controller.abort();
      await Promise.all(state.running);
    },
    queueLength: () => state.waiting.quick.length + state.waiting.slow.length,
    visitUnderWay: (destination) => visitUnderWay(state, destination),
  };
}

function visitUnderWay(state: State, destination: string): Promise<void> | undefined {
  const now = state.clock.now();
  sync(state, now);
  let appointment = state.byDestination.get(destination);
  if (!appointment || appointment.stage === 'done' || state.controller.signal.aborted) return undefined;
  if (appointment.stage === undefined) {
    // The queue cannot be reordered: the old appointment stays in it as one that is gone.
    appointment.gone = true;
    appointment = makeAppointment(state, appointment.target, now);
    tick(state);
  }
  const { atItsEnd } = appointment;
  return new Promise((resolve) => atItsEnd.push(resolve));
}

/** The one alarm of the schedule: looks at the targets once a second, and starts what is due. */
function tick(state: State): void {
  const now = state.clock.now();
  if (now >= state.nextSync) {
    sync(state, now);
    state.nextSync = now + syncMs;
  }
  while ((state.due.nextDue() ?? Infinity) <= now) {
    const appointment = state.due.pop();
    if (!appointment || appointment.gone) continue;
    appointment.stage = 'waiting';
    state.waiting[appointment.slow ? 'slow' : 'quick'].push(appointment);
  }
  startWaiting(state);
  setAlarm(state);
}

function setAlarm(state: State): void {
  state.cancelAlarm();
  if (state.controller.signal.aborted) return;
  const wakeAt = Math.min(state.due.nextDue() ?? Infinity, state.nextSync);
  state.cancelAlarm = state.clock.after(Math.max(0, Math.ceil(wakeAt - state.clock.now())), () => {
    tick(state);
  });
}

/** Makes appointments for newcomers, drops those of targets that are gone, and takes over changed settings. */
function sync(state: State, now: number): void {
  const targets = state.options.targets();
  if (targets === state.seen) return;
  state.seen = targets;
  const current = new Set<string>();
  const newcomers: Target[] = [];
  for (const target of targets) {
    if (current.has(target.destination)) continue;
    current.add(target.destination);
    const known = state.byDestination.get(target.destination);
    if (known) known.target = target;
    else newcomers.push(target);
  }
  for (const [destination, appointment] of state.byDestination) {
    if (current.has(destination)) continue;
    appointment.gone = true;
    state.byDestination.delete(destination);
  }
  for (const target of newcomers) {
    const window = Math.min(newcomers.length * spreadMs, state.options.pace(target, 0));
    makeAppointment(state, target, now + fractionOf(target.destination) * window);
  }
}

function makeAppointment(state: State, target: Target, due: number): Appointment {
  const appointment: Appointment = {
    target,
    due,
    failures: 0,
    slow: false,
    gone: false,
    stage: undefined,
    atItsEnd: [],
  };
  state.byDestination.set(target.destination, appointment);
  state.due.push(due, appointment);
  return appointment;
}

function startWaiting(state: State): void {
  const { waiting, running, concurrency } = state;
  const slowPlaces = Math.max(1, Math.floor(concurrency / 2));
  while (running.size < concurrency && !state.controller.signal.aborted) {
    const next = waiting.quick.shift() ?? (state.runningSlow < slowPlaces ? waiting.slow.shift() : undefined);
    if (!next) return;
    if (!next.gone) start(state, next);
  }
}

function start(state: State, appointment: Appointment): void {
  const startedAt = state.clock.now();
  const wasSlow = appointment.slow;
  if (wasSlow) state.runningSlow += 1;
  appointment.stage = 'running';
  const running = visit(state, appointment).then(() => {
    state.running.delete(running);
    if (wasSlow) state.runningSlow -= 1;
    appointment.stage = 'done';
    for (const tell of appointment.atItsEnd.splice(0)) tell();
    const now = state.clock.now();
    appointment.slow = now - startedAt > slowMs;
    if (!appointment.gone) makeNext(state, appointment, now);
    startWaiting(state);
    setAlarm(state);
  });
  state.running.add(running);
}

async function visit(state: State, appointment: Appointment): Promise<void> {
  const { target } = appointment;
  try {
    const results = await state.options.visit(target, state.controller.signal);
    if (state.controller.signal.aborted || appointment.gone) return;
    for (const result of results) {
      if (result.destination === target.destination) {
        appointment.failures = result.success ? 0 : appointment.failures + 1;
      }
      state.options.post(result);
    }
  } catch (error) {
    state.options.bug?.(error, target);
  }
}

/** Fixed rate: the next visit is a whole number of paces after the last one was due, however long that took. */
function makeNext(state: State, appointment: Appointment, now: number): void {
  const pace = Math.max(1, state.options.pace(appointment.target, appointment.failures));
  const missed = Math.max(1, Math.ceil((now - appointment.due) / pace));
  appointment.due += missed * pace;
  state.due.push(appointment.due, appointment);
}
