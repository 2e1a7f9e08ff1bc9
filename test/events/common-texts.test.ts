import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commonText } from '../../src/events/decode/common-texts.js';

const make = (bytes: Buffer, start: number, end: number): string => bytes.toString('utf8', start, end);

test('a text is the one of its bytes, whatever came before with the same hash', () => {
  // Few hashes for many texts, so that they meet.
  const texts = fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 120 }), fc.integer({ min: 0, max: 3 })), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(texts, (list) => {
      for (const [text, hash] of [...list, ...list, ...list]) {
        const bytes = Buffer.from(`<${text}>`);
        expect(commonText(bytes, 1, bytes.length - 1, hash, make)).toBe(make(bytes, 1, bytes.length - 1));
      }
    }),
  );
});

test('what comes a third time is not decoded again', () => {
  let made = 0;
  const counting = (bytes: Buffer, start: number, end: number): string => {
    made++;
    return make(bytes, start, end);
  };
  const bytes = Buffer.from('MSExchangeTransport of the third time');
  const texts = Array.from({ length: 5 }, () => commonText(bytes, 0, bytes.length, 777, counting));
  expect(new Set(texts).size).toBe(1);
  expect(made).toBe(2);
});
