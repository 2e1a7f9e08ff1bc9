/**
 * Names of files as text, whatever bytes they are made of.
 *
 * A POSIX name is bytes. Those that are no UTF-8 stand in our texts as lone surrogates U+DC80 to U+DCFF, one for each
 * byte, so that a path is one string everywhere, in checkpoints too, and leads back to the very same bytes.
 */
import { isUtf8 } from 'node:buffer';

const escapeBase = 0xdc00;
const escaped = /[\udc80-\udcff]/u;
const allEscaped = /[\udc80-\udcff]/gu;

export function nameOfBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let name = '';
  for (let at = 0; at < bytes.length;) {
    const length = lengthOfCharacter(bytes, at);
    name +=
      length === 0 ? String.fromCharCode(escapeBase + bytes.readUInt8(at)) : bytes.toString('utf8', at, at + length);
    at += Math.max(1, length);
  }
  return name;
}

/** @returns 0 where no character of UTF-8 begins */
function lengthOfCharacter(bytes: Buffer, at: number): number {
  const lead = bytes.readUInt8(at);
  const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  const character = bytes.subarray(at, at + length);
  return character.length === length && isUtf8(character) ? length : 0;
}

/** What the system is given for a path. */
export function systemPath(path: string): string | Buffer {
  if (!escaped.test(path)) return path;
  const parts: Buffer[] = [];
  let from = 0;
  for (const { index } of path.matchAll(allEscaped)) {
    parts.push(Buffer.from(path.slice(from, index)), Buffer.from([path.charCodeAt(index) - escapeBase]));
    from = index + 1;
  }
  return Buffer.concat([...parts, Buffer.from(path.slice(from))]);
}

/** For people: bytes that are no text as `\xE4`. */
export function shownPath(path: string): string {
  return path.replace(allEscaped, (each) => `\\x${(each.charCodeAt(0) - escapeBase).toString(16).toUpperCase()}`);
}
