/**
 * The thread in which programs of the system are started. The start of a program lasts until the program runs, 0.4 s on a
 * busy machine, and whoever starts it does nothing else meanwhile: not the thread that answers scrapes.
 */
import type { spawn, ChildProcess } from 'node:child_process';
import { Worker, type MessagePort } from 'node:worker_threads';

/** Programs are started with their whole path and the words as they are: no shell. */
export type ProgramStart = {
  readonly file: string;
  readonly words: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Of its output, and of its errors, so many characters are told; the rest is read and let go. */
  readonly mostText: number;
};

export type ProgramListener = {
  /** Each byte one character. */
  readonly onText: (from: 'output' | 'errors', text: string) => void;
  /** Told once. @param code null when a signal ended it; -1 when it could not be started, as `onText` has told */
  readonly onEnd: (code: number | null) => void;
};

export type RunningProgram = { readonly kill: () => void };

type Order = { readonly id: number } & ({ readonly start: ProgramStart } | { readonly kill: true });
type News = { readonly id: number } & (
  { readonly from: 'output' | 'errors'; readonly text: string } | { readonly code: number | null }
);

/** How long a dead program's children may keep its output open. */
const drainMs = 500;

/** What the thread does. Its text is the thread's program, so it uses nothing but what it is given. */
function startPrograms(port: MessagePort, start: typeof spawn, drain: number): void {
  const children = new Map<number, ChildProcess>();
  const tell = (news: News): void => {
    port.postMessage(news);
  };
  const run = (id: number, { file, words, env, mostText }: ProgramStart): void => {
    const child = start(file, words, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true, env });
    children.set(id, child);
    const end = (code: number | null): void => {
      if (children.delete(id)) tell({ id, code });
    };
    for (const [from, stream] of [['output', child.stdout] as const, ['errors', child.stderr] as const]) {
      let left = mostText;
      stream.on('data', (chunk: Buffer) => {
        const text = chunk.toString('latin1', 0, left);
        left -= text.length;
        if (text !== '') tell({ id, from, text });
      });
    }
    child.on('error', (error) => {
      tell({ id, from: 'errors', text: error.message });
      end(-1);
    });
    child.on('exit', () => {
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, drain).unref();
    });
    child.on('close', end);
  };
  port.on('message', (order: Order) => {
    if ('kill' in order) children.get(order.id)?.kill('SIGKILL');
    else {
      try {
        run(order.id, order.start);
      } catch (error) {
        tell({ id: order.id, from: 'errors', text: String(error) });
        tell({ id: order.id, code: -1 });
      }
    }
  });
}

/** Text, not a file: the program for Windows is a single one. */
const threadCode = `(${startPrograms.toString()})(
  require('node:worker_threads').parentPort, require('node:child_process').spawn, ${drainMs});`;

type Thread = { readonly worker: Worker; readonly listeners: Map<number, ProgramListener> };

let thread: Thread | undefined;
let lastId = 0;

/** Returns at once. The process does not end by itself before the program has. */
export function startProgram(start: ProgramStart, listener: ProgramListener): RunningProgram {
  const { worker, listeners } = (thread ??= startThread());
  const id = ++lastId;
  const order = (what: Order): void => {
    if (listeners.has(id)) worker.postMessage(what);
  };
  listeners.set(id, listener);
  worker.ref();
  order({ id, start });
  return {
    kill: () => {
      order({ id, kill: true });
    },
  };
}

/** Started with the first program, and kept. One that fails takes its programs with it; the next has a new one. */
function startThread(): Thread {
  const worker = new Worker(threadCode, {
    eval: true,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
  });
  const listeners = new Map<number, ProgramListener>();
  const end = (id: number, code: number | null): void => {
    const listener = listeners.get(id);
    listeners.delete(id);
    if (listeners.size === 0) worker.unref();
    listener?.onEnd(code);
  };
  let failure = 'the thread that starts programs ended';
  worker.on('message', (news: News) => {
    if ('code' in news) end(news.id, news.code);
    else listeners.get(news.id)?.onText(news.from, news.text);
  });
  worker.on('error', (error) => {
    failure += `: ${error.message}`;
  });
  worker.on('exit', () => {
    if (thread?.worker === worker) thread = undefined;
    for (const [id, { onText }] of [...listeners]) {
      onText('errors', failure);
      end(id, -1);
    }
  });
  return { worker, listeners };
}
