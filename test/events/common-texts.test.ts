import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { createCommonTexts } from '../../src/events/decode/common-texts.js';
import { fieldReader } from '../../src/events/decode/json-fields.js';
import { unescapedAt } from '../../src/events/decode/xml-tags.js';

const make = (bytes: Buffer, start: number, end: number): string => bytes.toString('utf8', start, end);

test('a text is the one of its bytes, whatever came before with the same hash', () => {
  // Few hashes for many texts, so that they meet.
  const texts = fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 120 }), fc.integer({ min: 0, max: 3 })), {
    maxLength: 40,
  });
  const textOf = createCommonTexts(make);
  fc.assert(
    fc.property(texts, (list) => {
      for (const [text, hash] of [...list, ...list, ...list]) {
        const bytes = Buffer.from(`<${text}>`);
        expect(textOf(bytes, 1, bytes.length - 1, hash)).toBe(make(bytes, 1, bytes.length - 1));
      }
    }),
  );
});

test('issue 14: thousands of texts hold on to no more memory than they need', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const held = (): number => {
    collectGarbage();
    return process.memoryUsage().arrayBuffers;
  };
  const textOf = createCommonTexts(make);
  const before = held();
  for (let n = 0; n < 4096; n++)
    for (let times = 0; times < 2; times++) {
      const bytes = Buffer.from(`connector ${n}`);
      textOf(bytes, 0, bytes.length, n);
      // What else is made meanwhile.
      Buffer.from('x'.repeat(4_000));
    }
  // V8 gives buffers back on another thread, some time after a collection has found them to be garbage.
  await vi.waitFor(
    () => {
      expect(held() - before).toBeLessThan(2 * 2 ** 20);
    },
    { timeout: 10_000 },
  );
  // Used once more, or it would be garbage by now.
  expect(textOf(Buffer.from('connector 7'), 0, 11, 7)).toBe('connector 7');
});

test('what comes a third time is not decoded again', () => {
  let made = 0;
  const counting = (bytes: Buffer, start: number, end: number): string => {
    made++;
    return make(bytes, start, end);
  };
  const bytes = Buffer.from('MSExchangeTransport of the third time');
  const textOf = createCommonTexts(counting);
  const texts = Array.from({ length: 5 }, () => textOf(bytes, 0, bytes.length, 777));
  expect(new Set(texts).size).toBe(1);
  expect(made).toBe(2);
});

test('the same bytes are another text in JSON than in XML, whichever is read first', () => {
  const bytes = Buffer.from('"Smith &amp; Sons"');
  const [start, end] = [1, bytes.length - 1];
  const inJson = (): unknown =>
    fieldReader([['name']])(Buffer.from(`{"name":${bytes.toString()}}`), 0, bytes.length + 9)(0);
  for (let time = 0; time < 4; time++) {
    expect(inJson()).toBe('Smith &amp; Sons');
    expect(unescapedAt(bytes, start, end)).toBe('Smith & Sons');
  }
});
