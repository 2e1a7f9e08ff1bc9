import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromWire, maxLineBytes, replyText, shown, takeReply } from '../../src/probes/smtp-lines.js';

describe('takeReply', () => {
  test('reads one line, many lines, bare LF and a code alone', () => {
    expect(takeReply('220 hello\r\nrest')).toEqual({ reply: { code: 220, lines: ['hello'] }, used: 11 });
    expect(takeReply('250-a\r\n250-b\n250 c\r\n')).toMatchObject({ reply: { code: 250, lines: ['a', 'b', 'c'] } });
    expect(takeReply('220\r\n')).toMatchObject({ reply: { code: 220, lines: [''] } });
    expect(takeReply('220-\r\n220 \r\n')).toMatchObject({ reply: { lines: ['', ''] } });
  });

  test('waits for the rest', () => {
    for (const part of ['', '2', '220', '220 hello', '220 hello\r', '220-hello\r\n', '220-hello\r\n220']) {
      expect(takeReply(part), part).toBeUndefined();
    }
  });

  test('refuses what is not SMTP', () => {
    expect(takeReply('SSH-2.0-x\r\n')).toEqual({ broken: 'expected an SMTP reply, got: SSH-2.0-x' });
    expect(takeReply('\r\n')).toEqual({ broken: 'expected an SMTP reply, got: (an empty line)' });
    expect(takeReply('HTTP/1.1 400 Bad Request\r\n')).toHaveProperty('broken');
    expect(takeReply('999 x\r\n')).toHaveProperty('broken');
    expect(takeReply('2200 x\r\n')).toHaveProperty('broken');
    expect(takeReply('220 '.padEnd(maxLineBytes + 1, 'x'))).toHaveProperty('broken');
    expect(takeReply('220-x\r\n'.repeat(500))).toHaveProperty('broken');
  });

  test('gives the same reply however the bytes were cut', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '-', '\xff', '\x80'), maxLength: 20 });
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), fc.nat(), (lines, cut) => {
        const whole = lines.map((text, index) => `250${index < lines.length - 1 ? '-' : ' '}${text}\r\n`).join('');
        expect(takeReply(whole)).toEqual({ reply: { code: 250, lines }, used: whole.length });
        expect(takeReply(whole.slice(0, cut % whole.length))).toBeUndefined();
      }),
    );
  });

  test('never throws and never takes more than there is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const taken = takeReply(text);
        if (taken && 'used' in taken) expect(taken.used).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});

test('shows bytes from the wire without control characters, as UTF-8 where they are', () => {
  expect(fromWire(Buffer.from('Grüße €').toString('latin1'))).toBe('Grüße €');
  expect(fromWire('\x1b[31mred\x00')).toBe('\\x1b[31mred\\x00');
  expect(shown('a\u202eb\u2028')).toBe('a\\x202eb\\x2028');
  expect(fromWire('x'.repeat(1000)).length).toBeLessThan(310);
  expect(replyText({ code: 554, lines: ['a', 'b'] })).toBe('554 a / b');
});
