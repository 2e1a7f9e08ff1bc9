/** Where programs of the system are started: never in the thread that answers scrapes. */
import { spawn } from 'node:child_process';
import { expect, test, vi } from 'vitest';
import { runProgram } from '../../../src/probes/network/run-program.js';

vi.mock('node:child_process', () => ({
  spawn: vi.fn(() => {
    throw new Error('a program started in the main thread');
  }),
}));

const node = process.execPath;

test('issue 14, soak: of six programs that are due at the same moment none is started in the main thread', async () => {
  const { signal } = new AbortController();
  const options = { limitMs: 60_000, signal };
  const runs = await Promise.all(Array.from({ length: 6 }, () => runProgram(node, ['--version'], options)));
  expect(runs.map(({ code, output }) => [code, output.trim()])).toEqual(
    Array.from({ length: 6 }, () => [0, process.version]),
  );
  expect(spawn).not.toHaveBeenCalled();
});

test('issue 14, soak: a program is ended with the exporter, and its output is told as it comes', async () => {
  const controller = new AbortController();
  const told: string[] = [];
  const run = await runProgram(node, ['-e', 'console.log(process.pid); setInterval(() => 0, 1000)'], {
    limitMs: 60_000,
    signal: controller.signal,
    onText: (text) => {
      told.push(text);
      controller.abort();
    },
  });
  expect(run).toEqual({ code: undefined, output: told.join(''), errors: '' });
  const pid = Number(run.output);
  expect(pid).toBeGreaterThan(0);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('issue 14, soak: a program that is asked for when the exporter ends is not left running', async () => {
  const run = await runProgram(node, ['-e', 'setInterval(() => 0, 1000)'], {
    limitMs: 60_000,
    signal: AbortSignal.abort(),
  });
  expect(run.code).toBeUndefined();
});

test('issue 14, soak: words that no program can be given are an error of the run', async () => {
  const { signal } = new AbortController();
  const run = await runProgram(node, ['a\0b'], { limitMs: 60_000, signal });
  expect(run.code).toBe(-1);
  expect(run.errors).toContain('null bytes');
  expect(await runProgram(node, ['--version'], { limitMs: 60_000, signal })).toMatchObject({ code: 0 });
});
