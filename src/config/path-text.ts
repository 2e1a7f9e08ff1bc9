/** Names a setting by its place in the configuration, for messages. */

/** `sources[2].tls.cert`; nothing for the whole file. */
export function pathText(path: readonly PropertyKey[]): string {
  const text = path.reduce<string>(
    (so, part) => (typeof part === 'number' ? `${so}[${part}]` : `${so === '' ? '' : `${so}.`}${String(part)}`),
    '',
  );
  // A key may hold anything, a line break too.
  return text.slice(0, 200).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ');
}
