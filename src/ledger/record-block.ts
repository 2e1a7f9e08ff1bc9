/** Record IDs and seconds as they are saved: pairs `id:second` in base 36, each as its difference from the one before. */

/** Pairs in a block. */
export const blockLength = 256;

/** @param pairs ID and second of each record in turn, NaN for a second that is not known; at most those of one block */
export function blockText(pairs: readonly number[]): string {
  let [lastId, lastSecond, end] = [0, 0, 0];
  for (let at = 0; at < pairs.length; at += 2) {
    const [id, second] = [pairs[at] ?? 0, pairs[at + 1] ?? Number.NaN];
    if (at > 0) written[end++] = space;
    end = writeNumber(id - lastId, end);
    written[end++] = colon;
    if (!Number.isNaN(second)) end = writeNumber(second - lastSecond, end);
    lastId = id;
    if (!Number.isNaN(second)) lastSecond = second;
  }
  return written.toString('latin1', 0, end);
}

/** A number has at most 12 letters with its sign, and one more divides it from the next. */
const written = Buffer.alloc(blockLength * 2 * 13);
const [space, colon, minus, zero, letters] = [0x20, 0x3a, 0x2d, 0x30, 0x61 - 10];

/** Writes a whole number in base 36, as `toString` does and without making anything. @returns the place behind it */
function writeNumber(number: number, from: number): number {
  let [at, rest] = [from, Math.abs(number)];
  if (number < 0) written[at++] = minus;
  let length = 1;
  for (let more = rest; more >= 36; more = Math.floor(more / 36)) length++;
  for (let place = at + length - 1; place >= at; place--) {
    const digit = rest % 36;
    written[place] = digit + (digit < 10 ? zero : letters);
    rest = (rest - digit) / 36;
  }
  return at + length;
}

/** ID and second of each record in turn, as they were written. */
export function pairsOf(text: string): number[] {
  let [id, second] = [0, 0];
  return text.split(' ').flatMap((part) => {
    const [idPart = '', secondPart = ''] = part.split(':');
    id += Number.parseInt(idPart, 36);
    if (secondPart === '') return [id, Number.NaN];
    second += Number.parseInt(secondPart, 36);
    return [id, second];
  });
}
