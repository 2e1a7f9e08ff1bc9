/** Names from anywhere become labels in one way: what looks alike on the page is one series, and the page can be read. */
import path from 'node:path';
import fc from 'fast-check';
import { readFile, writeFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { cleanRows } from '../../src/ledger/clean-rows.js';
import { labelOf, maxLabelLength } from '../../src/model/label.js';
import { startExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { errorCounter, series } from '../support/scraped.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';

const written = (text: string): string => Buffer.from(text, 'utf8').toString('utf8');
const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
  maxLength: 600,
});

test('whatever a log holds becomes a label that is written as it is kept, on one line, and bounded', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const label = labelOf(text);
      expect(written(label)).toBe(label);
      expect(label).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
      expect(label.length).toBeGreaterThan(0);
      expect(label.length).toBeLessThanOrEqual(maxLabelLength);
      expect(labelOf(label)).toBe(label);
    }),
    { numRuns: 2_000 },
  );
});

test('1.8: two lone surrogates are one label; control characters and line ends are blanks; a half character is not cut', () => {
  expect(labelOf('Relay \ud800')).toBe(labelOf('Relay \udfff'));
  expect(labelOf('\0ex\r\n01\u2028\u0085x\t')).toBe('ex 01 x');
  expect(labelOf('x'.repeat(255) + '😀')).toBe('x'.repeat(255) + '\ufffd');
  expect(labelOf('Büro → Außen, "Legacy" <DMZ> & Co')).toBe('Büro → Außen, "Legacy" <DMZ> & Co');
  for (const nothing of [undefined, '', ' \0 ', ' '.repeat(100_000)]) expect(labelOf(nothing)).toBe('unknown');
});

test('16.1: what is not seen in a name is escaped: one that differs in nothing else does not look alike, and none turns a line round', () => {
  for (const code of [0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069])
    expect(labelOf(`a${String.fromCodePoint(code)}b`)).toBe(`a\\u${code.toString(16).toUpperCase().padStart(4, '0')}b`);
  expect(labelOf('zero\u200bwidth \u{e0041}')).toBe('zero\\u200Bwidth \\uDB40\\uDC41');
  // Letters of any script, their joiners, and emoji are no such thing.
  for (const name of ['ממסר החוצה', 'خروج', 'می\u200cخواهم', '👩\u200d💻 ✉\ufe0f', 'Büro'])
    expect(labelOf(name)).toBe(name);
  // A cut leaves no half of an escape.
  expect(labelOf(`${'x'.repeat(252)}\u202e`)).toBe('x'.repeat(252));
  fc.assert(
    fc.property(anyText, (text) => {
      expect(labelOf(text)).not.toMatch(/\p{Bidi_Control}/u);
    }),
  );
});

test('rows that an older exporter saved under names that are one label now are added up', () => {
  const row = (connector: string, errors: number, lastErrorAt: number) => ({
    ...{ server: 'exch01', connector, destination: '203.0.113.25:25', errors, attempts: 1 },
    ...{ failures: { timeout: 2 }, lastErrorAt, lastObservedAt: undefined, lastAttemptAt: 5 },
  });
  const kept = [row('a', 1, 1), row('b', 2, 2)];
  expect(cleanRows(kept)).toBe(kept);
  expect(cleanRows([row('a\ud800', 1, 9), { ...row('a\udc00', 2, 3), shown: { errors: 1 } }, row('b', 4, 4)])).toEqual([
    { ...row('a\ufffd', 3, 9), attempts: 2, failures: { timeout: 4 }, shown: { errors: 1 } },
    row('b', 4, 4),
  ]);
});

test('servers and connectors with control characters and lone surrogates are one series each on the page', async () => {
  const folder = await temporaryFolder();
  const events = path.join(folder, 'events.ndjson');
  const line = (recordId: number, server: string, connector: string): string => {
    const event = JSON.parse(winlogbeatLine({ recordId })) as { winlog: { computer_name: string; event_data: object } };
    event.winlog.computer_name = server;
    event.winlog.event_data = { param1: connector, param2: '203.0.113.25:25' };
    return `${JSON.stringify(event)}\n`;
  };
  await writeFile(
    events,
    line(1, 'EX\0\u000e01', 'Relay \ud800') + line(2, 'ex\t01', 'Relay \udbff') + line(3, 'ex 01', 'Relay \ufffd'),
  );
  const exporter = await startExporter({ files: [events], args: ['--no-probe'] });
  onTestFinished(() => exporter.kill9());
  await expect
    .poll(async () => [...series(await exporter.scrape(), errorCounter)], { timeout: 20_000 })
    .toEqual([['{server="ex 01",connector="Relay \ufffd",destination="203.0.113.25:25"}', 3]]);
  expect(
    (await readFile(path.join(exporter.stateDirectory, 'ledger.json'), 'utf8')).match(/"connector":"Relay/g)?.length,
  ).toBeGreaterThan(0);
});
