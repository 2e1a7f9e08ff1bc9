/** Parses the values of flags; an error says what was expected. */
import { InvalidArgumentError, Option } from 'commander';

export function demoPort(flag: string, what: string, usual: number): Option {
  return new Option(`${flag} <port>`, `Port of ${what}; another free one when it is taken, 0 for any free one.`)
    .argParser(portNumber)
    .default(usual);
}

/** As in log.ts, which is not loaded here because pino takes longer to load than --help may take. */
export function levels(): string[] {
  return ['debug', 'info', 'warn', 'error'];
}

/** A flag that may be repeated: what it has given so far, and its value. */
export function collect(value: string, earlier: unknown): string[] {
  return [...((earlier as string[] | undefined) ?? []), value];
}

/** `25,587,2500-2599`: each as it stands between the commas. */
export function listOf(value: string): string[] {
  return value.split(',');
}

function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65535 && text.trim() !== '') return port;
  throw new InvalidArgumentError('Expected a port from 0 (any free one) to 65535.');
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 100) return value;
  throw new InvalidArgumentError('Expected a whole number from 1 to 100.');
}

export function secondsOrNone(text: string): number {
  const value = Number(text);
  if (value >= 0 && Number.isFinite(value) && text.trim() !== '') return value;
  throw new InvalidArgumentError('Expected seconds, 0 or more.');
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}
