/** File operations that hang: how many may, and that nobody waits for them. */
import { expect, test } from 'vitest';
import { createFileGate, FileHangs, inTime } from '../../src/runtime/file-gate.js';

const never = (): Promise<never> => new Promise<never>(() => undefined);
const now = (): Promise<string> => Promise.resolve('done');

/** Longer than what is taken for an operation that hangs. */
const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300));

test('where two operations hang no third is begun, and elsewhere all goes on', async () => {
  const gate = createFileGate(4);
  void gate.pass('mount', never);
  await later();
  await expect(gate.pass('mount', now)).resolves.toBe('done');
  void gate.pass('mount', never);
  await later();
  await expect(gate.pass('mount', now)).rejects.toThrow(FileHangs);
  await expect(gate.pass('disk', now)).resolves.toBe('done');
  expect(gate.hanging()).toBe(2);
});

test('one thread of the pool is never given to what may hang', async () => {
  const gate = createFileGate(4);
  for (const place of ['a', 'b', 'c']) void gate.pass(place, never);
  await later();
  for (const place of ['a', 'b', 'c', 'd']) await expect(gate.pass(place, now)).rejects.toThrow(FileHangs);
});

test('an operation that answers at last makes room', async () => {
  const gate = createFileGate(4);
  const answers: (() => void)[] = [];
  const late = (): Promise<void> => new Promise((resolve) => answers.push(resolve));
  const both = [gate.pass('mount', late), gate.pass('mount', late)];
  await later();
  await expect(gate.pass('mount', now)).rejects.toThrow(FileHangs);
  for (const answer of answers) answer();
  await Promise.all(both);
  await expect(gate.pass('mount', now)).resolves.toBe('done');
  expect(gate.hanging()).toBe(0);
});

test('what comes too late is handed over to be closed', async () => {
  let answer: (value: string) => void = () => undefined;
  const closed: string[] = [];
  const slow = new Promise<string>((resolve) => (answer = resolve));
  await expect(inTime(slow, 5, (value) => closed.push(value))).rejects.toThrow('does not answer');
  answer('a file that was opened');
  await slow;
  expect(closed).toEqual(['a file that was opened']);
});

test('1.5: answers that came while this process did something else are no operations that hang', async () => {
  const gate = createFileGate(4);
  const answered = (): Promise<string> => new Promise((resolve) => setImmediate(resolve, 'done'));
  const under = [gate.pass('disk', answered), gate.pass('disk', answered)];
  const busyUntil = performance.now() + 300;
  while (performance.now() < busyUntil);
  await expect(gate.pass('disk', now)).resolves.toBe('done');
  await Promise.all(under);
});
