/** Walks through DER, as certificates and sessions are written (X.690). */

/** Bounds of the content of the element at `at`: one byte of tag, then the length in its short or long form. */
export function contentOf(der: Buffer, at: number): { readonly start: number; readonly end: number } {
  const first = der[at + 1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  const start = at + 2 + lengthBytes;
  if (lengthBytes > 4 || start > der.length) return { start: der.length, end: der.length };
  return { start, end: start + (lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes)) };
}

export type Element = { readonly tag: number; readonly start: number; readonly end: number };

/** The elements that lie one behind the other within these bounds; `start` and `end` are those of their content. */
export function elementsWithin(
  der: Buffer,
  { start, end }: { readonly start: number; readonly end: number },
): Element[] {
  const found: Element[] = [];
  for (let at = start; at < Math.min(end, der.length);) {
    const element = { tag: der[at] ?? 0, ...contentOf(der, at) };
    found.push(element);
    at = element.end;
  }
  return found;
}
