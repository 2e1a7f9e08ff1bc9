/** Compares passwords with bcrypt hashes in threads of their own, so that scrapes never wait for one. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { keepLatest } from '../../runtime/keep-latest.js';
import { bcryptSource } from './bcrypt-source.js';

type Question = {
  readonly password: string;
  readonly hash: string;
  /** A wrong password takes as long as with a hash of this cost, at least that of the hash itself. */
  readonly cost: number;
  /** Goes before those that wait, and has places of its own. */
  readonly isFirst: boolean;
  /** Whoever asks from it takes turns with those who ask from others: `192.0.2.0/24`. */
  readonly network: string;
};

export type PasswordChecks = {
  /** @returns whether the password is right; undefined, without a check, when too many wait */
  readonly ask: (question: Question) => Promise<boolean | undefined>;
};

/** A core stays free for scrapes. */
const mostWorkers = availableParallelism() > 2 ? 2 : 1;
/** Checks that run or wait at once, at 0.3 s of a core each at cost 12; then those that go first. */
const places = 16;
const placesOfFirst = 4;
/** Networks whose latest turn is known; one that is forgotten goes before those that are known. */
const rememberedNetworks = 1000;
/** Nobody logs in for long stretches: a scraper that was let in is recognised from then on. */
const idleMs = 10_000;

/**
 * The thread. A hash of a lower cost than the highest one is followed by others that make up for the difference, so that
 * time does not tell names apart: 2^c + 2^c + 2^(c+1) + ... + 2^(C-1) = 2^C rounds.
 */
const workerCode = `
const { parentPort } = require('node:worker_threads');
const bcrypt = ${bcryptSource};
// On Linux this is the priority of the thread alone: where cores are scarce, scrapes go before passwords.
if (process.platform === 'linux') try { require('node:os').setPriority(0, 10); } catch {}
parentPort.on('message', ({ password, hash, cost }) => {
  const isRight = bcrypt.compareSync(password, hash);
  for (let each = Number(hash.slice(4, 6)); !isRight && each < cost; each++)
    bcrypt.hashSync(password, '$2b$' + String(each).padStart(2, '0') + hash.slice(6, 29));
  parentPort.postMessage(isRight);
});
`;

type Waiting = {
  readonly question: Question;
  readonly answer: (isRight: boolean | undefined) => void;
  readonly fail: (error: Error) => void;
};

/** Threads are started when they are needed, and ended when they are idle. */
export function createPasswordChecks(): PasswordChecks {
  const first: Waiting[] = [];
  const others = createTurns();
  let running = 0;
  const goOn = (): void => {
    while (first.length + others.count() > 0) {
      const worker = workers.take();
      if (worker === undefined) return;
      const next = first.shift() ?? others.next();
      if (next !== undefined) run(worker, next);
    }
  };
  const workers = createWorkers(goOn);
  const run = (worker: Worker, { question: { password, hash, cost }, answer, fail }: Waiting): void => {
    running++;
    const done = (): void => {
      running--;
      worker.removeAllListeners('message').removeAllListeners('error');
    };
    worker.once('message', (isRight: boolean) => {
      done();
      answer(isRight);
      workers.giveBack(worker);
      goOn();
    });
    worker.once('error', (error: Error) => {
      done();
      fail(error);
    });
    worker.postMessage({ password, hash, cost });
  };
  return {
    ask: (question) =>
      new Promise((answer, fail) => {
        const asked = { question, answer, fail };
        const taken = running + first.length + others.count();
        if (question.isFirst && taken < places + placesOfFirst) first.push(asked);
        else if (taken < places) others.add(asked);
        else (question.isFirst ? asked : others.insteadOfMost(asked)).answer(undefined);
        goOn();
      }),
  };
}

/**
 * Those that wait, by network, each of which has its turn: a scraper that has not been let in yet is behind one guess of each
 * network, not behind all of one that floods.
 */
function createTurns() {
  const waiting: Waiting[] = [];
  /** The turn in which each network was served last. */
  const served = new Map<string, number>();
  let turn = 0;
  const countOf = (network: string): number => waiting.filter(({ question }) => question.network === network).length;
  const takeOut = (one: Waiting): Waiting => waiting.splice(waiting.indexOf(one), 1)[0] ?? one;
  return {
    count: () => waiting.length,
    add: (asked: Waiting): void => {
      waiting.push(asked);
    },
    next: (): Waiting | undefined => {
      const turnOf = ({ question }: Waiting): number => served.get(question.network) ?? -1;
      const [longest] = waiting.toSorted((one, other) => turnOf(one) - turnOf(other));
      if (longest === undefined) return undefined;
      keepLatest(served, longest.question.network, turn++, rememberedNetworks);
      return takeOut(longest);
    },
    /** Takes it in for the latest one of the network with most of them. @returns the one for which there is no place */
    insteadOfMost: (asked: Waiting): Waiting => {
      const sizeOf = ({ question }: Waiting): number => countOf(question.network);
      const [most] = waiting.toReversed().toSorted((one, other) => sizeOf(other) - sizeOf(one));
      if (most === undefined || sizeOf(most) <= sizeOf(asked) + 1) return asked;
      takeOut(most);
      waiting.push(asked);
      return most;
    },
  };
}

/** @param hasRoom called when a thread has ended, so that another may be started */
function createWorkers(hasRoom: () => void) {
  const idle = new Map<Worker, NodeJS.Timeout>();
  let count = 0;
  const start = (): Worker => {
    count++;
    const worker = new Worker(workerCode, {
      eval: true,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 8 },
    });
    worker.unref();
    worker.once('exit', () => {
      count--;
      hasRoom();
    });
    return worker;
  };
  return {
    /** One that is idle or new, or undefined when all are busy. */
    take: (): Worker | undefined => {
      for (const [worker, end] of idle) {
        clearTimeout(end);
        idle.delete(worker);
        return worker;
      }
      return count < mostWorkers ? start() : undefined;
    },
    giveBack: (worker: Worker): void => {
      const end = setTimeout(() => {
        idle.delete(worker);
        void worker.terminate();
      }, idleMs);
      idle.set(worker, end.unref());
    },
  };
}
