/** Walks through DER, as certificates and sessions are written (X.690). */

/** Bounds of the content of the element at `at`: one byte of tag, then the length in its short or long form. */
export function contentOf(der: Buffer, at: number): { readonly start: number; readonly end: number } {
  const first = der[at + 1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  const start = at + 2 + lengthBytes;
  if (lengthBytes > 4 || start > der.length) return { start: der.length, end: der.length };
  return { start, end: start + (lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes)) };
}
