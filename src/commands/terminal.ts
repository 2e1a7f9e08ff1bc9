/** What commands print: names from files and logs are no part of the terminal's own signs. */
import { visibleText } from '../runtime/visible-text.js';

/** @param text with its line breaks */
export function print(text: string): void {
  process.stdout.write(visibleText(text));
}

/** Each line on standard error. @returns the exit code that is given */
export function complain(lines: readonly string[], code: number): number {
  process.stderr.write(`${visibleText(lines.join('\n'))}\n`);
  return code;
}
