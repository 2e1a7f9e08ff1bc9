/** Cleans label values from logs, inventory and configuration in the same way, so that no two series look alike. */
import { visibleText } from '../runtime/visible-text.js';

/** Longer than any name that Exchange accepts (64 characters); keeps a hostile log from growing labels. */
export const maxLabelLength = 256;

/** Stands for a name that no carrier and no message gave. */
export const unknownLabel = 'unknown';

/**
 * A name as it stands in a label: well-formed Unicode (a lone surrogate would be written as U+FFFD all the same, and make a
 * second series of that label), without control characters and line ends, trimmed, of at most `maxLabelLength` UTF-16 units.
 *
 * Controls of direction and other characters that nobody sees are escaped (`visibleText`): two names that differ in nothing
 * else would look alike, and alerts, dashboards and Prometheus itself show labels as they are, where one control turns round
 * all that follows it. What stands in a label is what can be read, and can be typed into a query.
 * @returns `unknown` for what is empty then
 */
export function labelOf(text: string | undefined): string {
  if (text === undefined) return unknownLabel;
  const whole = cleaned(text.length > longestRead ? text.slice(0, longestRead) : text);
  const clean = whole.length > maxLabelLength ? cut(whole) : whole;
  return clean === '' ? unknownLabel : clean;
}

/** What is cut may end with half a character or half an escape, or with a blank. */
function cut(text: string): string {
  return text
    .slice(0, maxLabelLength)
    .replace(/\\(?:u[\dA-F]{0,3})?$/, '')
    .toWellFormed()
    .trimEnd();
}

/** Blanks before a name are no part of it; more of them than this are no name. */
const longestRead = 4_096;

function cleaned(text: string): string {
  const line = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  return visibleText(line);
}

/** The name of a server as it is compared: Windows does not tell cases apart, and a dot at the end says nothing. */
export function serverLabelOf(text: string | undefined): string {
  const label = labelOf(text);
  let end = label.length;
  while (label[end - 1] === '.') end--;
  return (end === 0 ? label : label.slice(0, end)).toLowerCase();
}
