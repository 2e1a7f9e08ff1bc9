/** Reads SMTP replies from a growing buffer, within bounds that a hostile or broken server cannot pass. */

/** One whole reply: the code of its lines, and the text of each line without the code. */
export type Reply = { readonly code: number; readonly lines: readonly string[] };

/** Longest line accepted. RFC 5321 allows 512 bytes; some servers are chattier, none needs this much. */
export const maxLineBytes = 4096;

/** Most lines of one reply. */
const maxReplyLines = 128;

/**
 * Takes the first reply (RFC 5321 section 4.2.1) from the front of the buffer.
 * @returns undefined while the reply is not complete; `broken` says in a sentence why this is not SMTP
 */
export function takeReply(
  buffer: string,
): { readonly reply: Reply; readonly used: number } | { readonly broken: string } | undefined {
  if (isTls(buffer)) return { broken: 'expected SMTP, got a record of TLS: the server speaks TLS at once (port 465?)' };
  const lines: string[] = [];
  let code: string | undefined;
  let from = 0;
  for (;;) {
    const end = buffer.indexOf('\n', from);
    const length = (end === -1 ? buffer.length : end) - from;
    if (length > maxLineBytes)
      return { broken: `expected an SMTP reply, got a line of more than ${maxLineBytes} bytes` };
    if (end === -1) return undefined;
    const line = buffer.slice(from, buffer.charCodeAt(end - 1) === 13 && end > from ? end - 1 : end);
    const match = /^([2-5]\d\d)(?:([ -])(.*))?$/s.exec(line);
    if (!match) return { broken: `expected an SMTP reply, got: ${fromWire(line) || '(an empty line)'}` };
    code ??= match[1];
    // RFC 5321 4.2.1: each line carries the same code. One that says no and then yes says nothing that counts.
    if (match[1] !== code)
      return { broken: `expected one code on all lines of a reply, got ${code} and then: ${fromWire(line)}` };
    lines.push(match[3] ?? '');
    from = end + 1;
    if (match[2] !== '-') return { reply: { code: Number(match[1]), lines }, used: from };
    if (lines.length >= maxReplyLines)
      return { broken: `expected a reply of at most ${maxReplyLines} lines, got more` };
  }
}

/** An alert or a handshake of TLS 1.0 to 1.3: type 21 or 22, and the version 3.x. */
export function isTls(buffer: string): boolean {
  const [type = 0, major = 0, minor = 9] = [0, 1, 2].map((at) => buffer.charCodeAt(at));
  return (type === 21 || type === 22) && major === 3 && minor <= 4;
}

/** A reply on one line, for a person. */
export function replyText(reply: Reply): string {
  return fromWire(`${reply.code} ${reply.lines.join(' / ')}`);
}

/** Longest text kept of a line. */
const maxText = 300;

/** Nearly every line of every server: nothing in it to escape. */
const printable = /^[\x20-\x7e]*$/;

/** A line as it came over the wire (each byte one character), fit to be shown: UTF-8 where it is. */
export function fromWire(bytes: string): string {
  const cut = bytes.slice(0, maxText + 1);
  return shown(printable.test(cut) ? cut : Buffer.from(cut, 'latin1').toString('utf8'));
}

/** Text made fit for a page or a terminal: control characters and direction marks escaped, cut to a length. */
export function shown(text: string): string {
  const cut = text.length > maxText ? `${text.slice(0, maxText)}...` : text;
  if (printable.test(cut)) return cut;
  return cut.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (sign) => `\\x${(sign.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
  );
}
