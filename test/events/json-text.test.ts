/** Issue 14, 1.3: broken JSON is told from its bytes as `JSON.parse` tells it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isBrokenJson } from '../../src/events/decode/json-text.js';

function check(text: string | Buffer): void {
  const bytes = Buffer.from(text);
  let refused = false;
  try {
    JSON.parse(bytes.toString());
  } catch {
    refused = true;
  }
  // What stands around the record is not looked at.
  for (const around of ['', '"', '}', ']', '1e5', 'ue', '0', '{"a']) {
    const all = Buffer.concat([Buffer.from(around), bytes, Buffer.from(around)]);
    const start = around.length;
    expect(isBrokenJson(all, start, start + bytes.length), JSON.stringify(bytes.toString())).toBe(refused);
  }
}

test('issue 14, 1.3: every form of JSON, and what is near to it', () => {
  const values = [
    '0',
    '-0',
    '01',
    '-',
    '1.',
    '1.5',
    '.5',
    '1e',
    '1e5',
    '1E+5',
    '1e-',
    '-1.5e-3',
    '+1',
    'true',
    'tru',
    'truee',
    'null',
    'nul',
    'NaN',
  ];
  const texts = [
    '""',
    '"',
    '"\\"',
    '"\\"" ',
    '"\\u00e9"',
    '"\\u00g9"',
    '"\\u00e"',
    '"\\x"',
    '"\t"',
    '"é"',
    '"\u0001"',
    '"\u007f"',
  ];
  const nested = [
    '{}',
    '[]',
    '[1,]',
    '[,1]',
    '[1 2]',
    '{"a":1}',
    '{"a":1,}',
    '{"a"}',
    '{a:1}',
    '{"a":}',
    '{"a":[{"b":[]}]}',
    '[[[]]',
    '[]]',
    '[}',
    '{]',
    '{"a":1}}',
    '{} {}',
    '',
    ' ',
    ' {"a" : 1 , "b":[ 1 , 2 ] } \r\n',
    '\u00a0{}',
    '\ufeff{}',
    '\v{}',
  ];
  for (const text of [...values, ...texts, ...nested]) {
    check(text);
    check(`[${text}]`);
    check(`{"a":${text}}`);
    check(`{"a":1,"b":${text},"c":[]}`);
  }
  check(Buffer.from([0x22, 0xe9, 0x22]));
  check(Buffer.from([0xe9]));
  check('['.repeat(512) + ']'.repeat(512));
  check('['.repeat(1024));
});

test('issue 14, 1.3: JSON of any shape, and the same with something changed', () => {
  const signs = fc.constantFrom(...('{}[]",:\\ \n\t0123456789.eE+-truefalsnué\0'.match(/[^]/g) ?? []));
  const changed = fc.tuple(fc.json({ maxDepth: 4 }), fc.nat(), fc.nat(3), fc.string({ unit: signs, maxLength: 3 }));
  fc.assert(
    fc.property(changed, ([json, place, length, put]) => {
      if (json.length > 1_000) return;
      check(json);
      const at = place % (json.length + 1);
      check(json.slice(0, at) + put + json.slice(at + length));
    }),
    { numRuns: 1_000 },
  );
  fc.assert(fc.property(fc.string({ unit: signs, maxLength: 30 }), check), { numRuns: 3_000 });
});

test('issue 14, 1.3: a long text is left to JSON.parse', () => {
  const bytes = Buffer.from('x'.repeat(1_025));
  expect(isBrokenJson(bytes, 0, bytes.length)).toBe(false);
  expect(isBrokenJson(bytes, 0, 1_024)).toBe(true);
});
