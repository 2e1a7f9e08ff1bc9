/** Reads small things straight from the bytes of a record. */

/** The number of the digits between two places; -1 when something else stands there or they are too many. */
export function digitsAt(bytes: Buffer, start: number, end: number): number {
  if (end <= start || end - start > 15) return -1;
  let number = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] ?? 0) - 48;
    if (!(digit >= 0 && digit <= 9)) return -1;
    number = number * 10 + digit;
  }
  return number;
}

/** Whether `key` stands at a place. */
export function standsAt(bytes: Buffer, start: number, key: Buffer): boolean {
  let i = 0;
  while (i < key.length && bytes[start + i] === key[i]) i++;
  return i === key.length;
}

/** The place of the next `byte` before `end`, or -1. For near ones: a loop is faster than a call of indexOf. */
export function placeOf(bytes: Buffer, byte: number, start: number, end: number): number {
  for (let i = start; i < end; i++) if (bytes[i] === byte) return i;
  return -1;
}
