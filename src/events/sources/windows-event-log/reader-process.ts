/** Starts the reader of a live log as a process of its own: a crash in a library of Windows must not end the exporter. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { isSea } from 'node:sea';
import type { ReaderRequest } from './log-api.js';

/** A reader that was started. */
export type RunningReader = {
  /** What it tells, a line at a time; ends when the reader does. */
  readonly lines: AsyncIterable<string>;
  /** Resolves when it has ended: how, and the last that it said on its error output. */
  readonly ended: Promise<string>;
  /** Asks it to end. */
  readonly stop: () => void;
  readonly kill: () => void;
};

/** Name of the hidden command. */
const readerCommand = 'read-windows-log';

const keptErrorText = 2_000;
const lateOutputMs = 1_000;

/** Our own program again: with the same node and its flags, or the single file that we are. */
export function startReader(request: ReaderRequest): RunningReader {
  const program = isSea() ? [] : [...process.execArgv, process.argv[1] ?? ''];
  const child = spawn(process.execPath, [...program, readerCommand], {
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  });
  const lines = createInterface({ input: child.stdout, crlfDelay: Infinity });
  let errorText = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errorText = (errorText + text).slice(-keptErrorText)));
  // A reader that is gone cannot be written to; that it is gone is told by its end.
  child.stdin.on('error', () => undefined);
  child.stdin.write(`${JSON.stringify(request)}\n`);
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => {
      lines.close();
      resolve(`could not be started: ${error.message}`);
    });
    child.on('exit', (code, signal) => {
      // Whatever looks into a crash may keep the pipes open: what is in them is read, and no end is waited for.
      setTimeout(() => {
        lines.close();
      }, lateOutputMs).unref();
      const last = errorText.trim().split(/\r?\n/).at(-1) ?? '';
      resolve(`ended with ${signal ?? `code ${code}`}${last === '' ? '' : `: ${last}`}`);
    });
  });
  return {
    lines,
    ended,
    // The end of its input is its sign to end: it also comes when we die.
    stop: () => child.stdin.end(),
    kill: () => {
      child.kill('SIGKILL');
      lines.close();
    },
  };
}
