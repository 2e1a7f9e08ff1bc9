#!/usr/bin/env node
/** Turns the arguments into a command; what a command needs is loaded only when it runs. */
import { CommanderError } from 'commander';
import { setFlagsFromString } from 'node:v8';
import { endWith, watchOutput } from './commands/exit.js';
import { program } from './commands/program.js';

// A guest on a server that has other things to do: the heap is tidied up when it has grown by half, not by several times.
setFlagsFromString('--heap-growing-percent=50');

watchOutput();

program()
  .parseAsync()
  .catch((error: unknown) => {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version end well. A wrong flag is no finding: 1 is the exit code of a check, a visit or a start that failed.
    endWith(error.exitCode === 0 ? 0 : 2);
  });
