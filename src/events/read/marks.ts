/** Finds the value at a mark in the bytes of a record (`"event_id":` 2002, 2002 `</EventID>`) without decoding it. */

/** Digits or a text right after `after` (a blank and a quote may stand between), or digits right before `before`. */
export type Mark = { readonly after: string } | { readonly before: string };

/** Letters of marks, the rarest in records first. */
const rareLetters = ['v', 'h', 'u', '_', 'p'];

/**
 * Finds the places of a mark in ascending order. The search stops at each byte that the text sought begins with, and quotes,
 * `<` and most letters stand everywhere in a record: what is sought is the mark from its rarest letter on, two to three
 * times as fast.
 */
export function placesOf(bytes: Buffer, mark: Mark): (from: number) => number {
  const text = 'after' in mark ? mark.after : mark.before;
  const rarest = rareLetters.find((letter) => text.includes(letter));
  const core = rarest === undefined ? text.replace(/^["</]+(?=.)/, '') : text.slice(text.indexOf(rarest));
  const lead = Buffer.from(text.slice(0, text.length - core.length));
  const needle = Buffer.from(core);
  return (from) => {
    let at = bytes.indexOf(needle, from + lead.length);
    while (at >= 0 && !standsBefore(bytes, at, lead)) at = bytes.indexOf(needle, at + 1);
    return at < 0 ? -1 : at - lead.length;
  };
}

function standsBefore(bytes: Buffer, at: number, lead: Buffer): boolean {
  for (let n = 1; n <= lead.length; n++) if (bytes[at - n] !== lead[lead.length - n]) return false;
  return true;
}

const [zero, nine, space, quote, backslash, ampersand, less] = [0x30, 0x39, 0x20, 0x22, 0x5c, 0x26, 0x3c];

/** The number at a mark that stands at `at`; -1 when there is none. */
export function numberAt(bytes: Buffer, at: number, mark: Mark): number {
  return 'after' in mark ? numberAfter(bytes, at + mark.after.length) : numberBefore(bytes, at);
}

function numberAfter(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === space) at++;
  if (bytes[at] === quote) at++;
  let value = -1;
  for (let byte = bytes[at] ?? 0; byte >= zero && byte <= nine; byte = bytes[++at] ?? 0) {
    value = Math.max(value, 0) * 10 + byte - zero;
  }
  return value;
}

function numberBefore(bytes: Buffer, before: number): number {
  let at = before - 1;
  let value = -1;
  for (let scale = 1, byte = bytes[at] ?? 0; byte >= zero && byte <= nine; byte = bytes[--at] ?? 0, scale *= 10) {
    value = Math.max(value, 0) + (byte - zero) * scale;
  }
  return value;
}

/** Beginning and end of the text that begins at `from`: a JSON string, or what stands before the next tag of XML. */
export function textSpan(bytes: Buffer, from: number, end: number): readonly [start: number, end: number] | undefined {
  let start = from;
  while (bytes[start] === space) start++;
  const closing = bytes[start] === quote ? quote : less;
  if (closing === quote) start++;
  else if (start !== from) return undefined;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === closing) return [start, at];
    // An escape: the decoder knows what it stands for.
    if (byte === backslash || byte === ampersand) return undefined;
  }
  return undefined;
}
