import fc from 'fast-check';
import { expect, test } from 'vitest';
import { finderOf } from '../../src/events/decode/name-finder.js';
import { namesFromMessage } from '../../src/events/message.js';

const partOfWord = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}_]/u;

/** The plainest way to find a name: every name at every place. */
function longestByHand(names: readonly string[], text: string): number {
  const isWord = (character: string): boolean => partOfWord.test(character);
  let longest = 0;
  for (const name of names) {
    for (let at = text.indexOf(name); name !== '' && at >= 0; at = text.indexOf(name, at + 1)) {
      const end = at + name.length;
      const before = isWord(text.charAt(at - 1)) && isWord(name.charAt(0));
      const after = isWord(text.charAt(end)) && isWord(name.charAt(name.length - 1));
      if (!before && !after) longest = Math.max(longest, name.length);
    }
  }
  return longest;
}

test('finds what looking for every name at every place finds', () => {
  const letters = fc.constantFrom('a', 'b', ' ', '-', 'я', '连', '\ud83d', '\ude00');
  const word = (most: number) => fc.array(letters, { maxLength: most }).map((each) => each.join(''));
  fc.assert(
    fc.property(fc.array(word(6), { maxLength: 8 }), word(40), (names, text) => {
      const found = finderOf(names)(text);
      expect(found?.length ?? 0).toBe(longestByHand(names, text));
      if (found !== undefined) expect(names).toContain(found);
    }),
    { numRuns: 2_000 },
  );
});

test('other names make another finder', () => {
  expect(finderOf(['Outbound'])('an Outbound b')).toBe('Outbound');
  expect(finderOf(['Relay'])('an Outbound b')).toBeUndefined();
  expect(finderOf(['Relay', 'Outbound'])('an Outbound b')).toBe('Outbound');
});

const names = Array.from({ length: 1_000 }, (_, n) => `Outbound to the Internet ${n}`);

test.each([
  ['that says none of the known names', 'Outbound to the Internet '.repeat(4_000)],
  ['of the letter that all names hold', 'a'.repeat(100_000)],
  ['of words of one letter', 'a '.repeat(50_000)],
])('1,000 known connector names against a 100 KB message %s', (_name, filling) => {
  const begun = performance.now();
  const nested = Array.from({ length: 256 }, (_, n) => 'a'.repeat(n + 1));
  for (const known of [names, nested, nested.map((name) => Array.from(name).join(' '))])
    namesFromMessage(`Sendeconnector ${filling}: Fehler mit 192.0.2.9:25`, known);
  expect(performance.now() - begun).toBeLessThan(3_000);
});

test('a name among 1,000 is found behind 100 KB', () => {
  const message = `${'Fehler '.repeat(15_000)} Sendeconnector Outbound to the Internet 742: 192.0.2.9:25`;
  expect(namesFromMessage(message, names)).toEqual({
    connector: 'Outbound to the Internet 742',
    destination: '192.0.2.9:25',
  });
});

test('1.2: 150,000 spaces in a message of raw strings are read in an instant', () => {
  const spaces = ' '.repeat(150_000);
  const before =
    'The description for Event ID ( 2002 ) cannot be found. The following information is part of the event:';
  const begun = performance.now();
  expect(namesFromMessage(`${before} a${spaces}b, 192.0.2.9:25`, [])?.connector).toBe(`a${spaces}b`);
  expect(namesFromMessage(`${before} a${spaces}, '192.0.2.9:25'`, [])?.connector).toBe('a');
  namesFromMessage(`${before}${spaces}x`.repeat(3), []);
  namesFromMessage(`Send connector a: an error occurred while connecting to x${spaces}y`, []);
  namesFromMessage(`${spaces}Send connector ${': an error occurred while connecting to '.repeat(4_000)}`, []);
  expect(performance.now() - begun).toBeLessThan(1_000);
});
