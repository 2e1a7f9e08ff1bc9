/** Turns loosely written fields of a Windows event (numbers as strings, ids as objects) into the ones of the model. */

/** Insertion strings: index 0 is %1; undefined where the carrier dropped one. */
export type Strings = readonly (string | undefined)[];

/**
 * The low 16 bits of an event ID written as a number, as a string of digits, or as an object around one of them
 * (`{ "id": 2002, "qualifiers": 32772 }`, `{ "text": "2002" }`).
 */
export function eventIdOf(value: unknown, depth = 0): number | undefined {
  const number = wholeNumberOf(value);
  if (number !== undefined) return number & 0xffff;
  if (typeof value !== 'object' || value === null || depth === deepest) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    if (/^(?:id|event_?id|value|[#_$@]?text)$/i.test(key)) return eventIdOf(inner, depth + 1);
  }
  return undefined;
}

/** Objects around a value: converters write one, at most two. */
export const deepest = 4;

/** A record ID written as a number or a string of digits. Windows counts from 1. */
export function recordIdOf(value: unknown): number | undefined {
  const number = wholeNumberOf(value);
  return number !== undefined && number > 0 ? number : undefined;
}

/** A string as it is; '' for whatever is not one. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A finished text, or undefined when the carrier has none. */
export function messageOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Whether the insertion strings leave something to be found in the finished text. */
export function needsMessage(values: Strings): boolean {
  return values.length === 0 || values.some((value) => value === undefined || value === '');
}

/** One insertion string; carriers write numeric ones as numbers. */
export function insertionStringOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** Insertion strings from an array; undefined when it is none or is empty. */
export function insertionStringsOf(value: unknown): Strings | undefined {
  return Array.isArray(value) && value.length > 0 ? value.map(insertionStringOf) : undefined;
}

function wholeNumberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value !== 'string' || value.length > 20 || !/^\s*-?\d+\s*$/.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}
