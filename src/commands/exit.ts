/** How the process ends: with the exit code of its verdict, or of output that was lost. */
import { endProcess } from '../runtime/process-end.js';

/** The exit code where what was to be printed is lost, and nothing worse was found. */
const lostOutput = 2;

/** True once output could not be written, for a reason other than that nobody reads it any more. */
let isOutputLost = false;

/** Lost output is an error, unless nobody reads it any more. */
export function watchOutput(): void {
  // Whoever read what we print may go away (`probe ... | head`): a command with a verdict goes on to it without a word.
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE' || isOutputLost) return;
    isOutputLost = true;
    process.exitCode = Number(process.exitCode ?? 0) || lostOutput;
    process.stderr.write(`cannot write the output: ${message}\n`);
  });
  // Nobody is left to tell.
  process.stderr.on('error', () => undefined);
}

/** Ends when all is written, or two seconds later: nothing that was left open may keep a finished process alive. */
export function endWith(code: number): void {
  process.exitCode = code === 0 && isOutputLost ? lostOutput : code;
  setTimeout(() => {
    endProcess(Number(process.exitCode ?? code));
  }, 2000).unref();
}
