import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createLog, type LogFormat, type LogLevel } from '../../src/runtime/log.js';

function logged(format: LogFormat, level: LogLevel = 'debug') {
  const lines: string[] = [];
  return { log: createLog({ format, level, write: (line) => lines.push(line) }), lines };
}

it('writes logfmt: time, level, sentence and fields, quoted only where needed', () => {
  const { log, lines } = logged('logfmt');
  log.warn('source is down', {
    source: '/srv/a b.xml',
    bytes: 12,
    up: false,
    absent: undefined,
    list: ['a'],
    none: null,
  });
  expect(lines).toEqual([
    expect.stringMatching(
      /^ts=\d{4}-\d\d-\d\dT[\d:.]+Z level=warn msg="source is down" source="\/srv\/a b.xml" bytes=12 up=false list="\[\\"a\\"\]" none=null\n$/,
    ),
  ]);
});

it('writes JSON with the same fields', () => {
  const { log, lines } = logged('json');
  log.error('cannot listen', { error: new Error('no luck'), port: 1 });
  expect(JSON.parse(lines[0]!)).toEqual({
    ts: expect.any(String) as string,
    level: 'error',
    msg: 'cannot listen',
    error: 'no luck',
    port: 1,
  });
});

it('leaves out what is below the level', () => {
  const { log, lines } = logged('logfmt', 'warn');
  log.debug('a');
  log.info('b');
  log.warn('c');
  log.error('d');
  expect(lines).toHaveLength(2);
});

it.each(['logfmt', 'json'] as const)(
  'keeps one message on one line in %s, whatever a log file made us say',
  (format) => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (key, value) => {
        const { log, lines } = logged(format);
        log.info('read', { [`x${key}`]: value, value });
        expect(lines).toHaveLength(1);
        expect(lines[0]!.slice(0, -1)).not.toMatch(/[\n\r]/);
      }),
    );
  },
);

it('16.1: shows what is not seen in a value, and JSON is that of the same value', () => {
  for (const format of ['logfmt', 'json'] as const) {
    const { log, lines } = logged(format);
    log.info('read', { source: 'a\u202eb\u2066c' });
    expect(lines[0]).not.toMatch(/\p{Bidi_Control}/u);
    expect(lines[0]).toContain(String.raw`"a\u202Eb\u2066c"`);
    if (format === 'json') expect(JSON.parse(lines[0]!)).toMatchObject({ source: 'a\u202eb\u2066c' });
  }
});
