import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodingOf, findEndFor, rawLength, restKind, utf8Of } from '../../src/events/read/text.js';

test.each([
  ['UTF-8 with mark', Buffer.from('\ufeff{"a":1}', 'utf8'), { encoding: 'utf-8', markLength: 3 }],
  ['UTF-16LE with mark', Buffer.from('\ufeff<Event>', 'utf16le'), { encoding: 'utf-16le', markLength: 2 }],
  ['UTF-16BE with mark', Buffer.from('\ufeff<Event>', 'utf16le').swap16(), { encoding: 'utf-16be', markLength: 2 }],
  ['UTF-16LE without mark', Buffer.from('<Event xmlns=', 'utf16le'), { encoding: 'utf-16le', markLength: 0 }],
  ['UTF-16BE without mark', Buffer.from('<Event xmlns=', 'utf16le').swap16(), { encoding: 'utf-16be', markLength: 0 }],
  ['UTF-8 without mark', Buffer.from('{"winlog":{}}'), { encoding: 'utf-8', markLength: 0 }],
  ['nothing', Buffer.alloc(0), { encoding: 'utf-8', markLength: 0 }],
])('knows %s', (_name, head, expected) => {
  expect(encodingOf(head)).toEqual(expected);
});

test('UTF-16 cut anywhere is read to the last whole character, and its length on disk is known exactly', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(), (text, cut) => {
      const whole = Buffer.from(text, 'utf16le');
      const raw = whole.subarray(0, whole.length ? cut % (whole.length + 1) : 0);
      const utf8 = utf8Of(raw, 'utf-16le');
      const read = rawLength(utf8, utf8.length, 'utf-16le');
      const rest = whole.subarray(read).toString('utf16le');
      expect(read).toBeLessThanOrEqual(raw.length);
      expect(raw.length - read).toBeLessThanOrEqual(3);
      expect(utf8.toString('utf8') + wellFormed(rest)).toBe(wellFormed(text));
    }),
  );
});

/** Lone surrogates become U+FFFD, as on the way through UTF-8. */
function wellFormed(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

test('a JSON object ends at its own brace, whatever its strings hold', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()),
      fc.constantFrom('', '[\n', ',\n  ', ' '),
      (value, before) => {
        const bytes = Buffer.from(`${before}${JSON.stringify(value, undefined, 2)}, {"next":1}]`);
        const end = findEndFor('json')(bytes, 0);
        expect(JSON.parse(bytes.toString('utf8', bytes.indexOf('{'), end))).toEqual(JSON.parse(JSON.stringify(value)));
      },
    ),
  );
});

test('half an object has no end', () => {
  const text = '{"a":{"b":"}\\"}"},"c":[1,2]}';
  for (let cut = 0; cut < text.length; cut++) expect(findEndFor('json')(Buffer.from(text.slice(0, cut)), 0)).toBe(-1);
  expect(findEndFor('json')(Buffer.from(text), 0)).toBe(text.length);
});

test('the last line counts without its line end only when it is a whole JSON object', () => {
  expect(restKind('{"a":1}', 'lines')).toBe('record');
  expect(restKind('{"a":1', 'lines')).toBe('half');
  expect(restKind('{"a":"}', 'lines')).toBe('half');
  expect(restKind('plain text', 'lines')).toBe('half');
  expect(restKind(' \r\n', 'lines')).toBe('nothing');
  expect(restKind('\r\n</Events>\r\n', 'xml')).toBe('nothing');
  expect(restKind('\n]', 'json')).toBe('nothing');
});
