import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { classify, type ClassifyOptions } from '../../src/events/classify.js';
import { followFiles } from '../../src/events/sources/files/files.js';
import { openLedger } from '../../src/ledger/ledger.js';
import { recordOutcomes } from '../../src/model/records.js';
import type { ConnectionError } from '../../src/model/evidence.js';
import { temporaryFolder } from '../support/folder.js';
import { nothingKnown } from '../support/follow.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';
import { decodeAll, fixtureText } from './records.js';

/** The five events of the samples. */
const five = [
  ['Outbound to Internet', '203.0.113.25:25'],
  ['Büro → Außen', '[2001:db8:25::1]:25'],
  ['Relay, "Legacy" <DMZ> & Co', '10.20.30.40:587'],
  ['Outbound Proxy External Send Connector', '192.0.2.77:25'],
  ['EdgeSync - Berlin to Internet', '198.51.100.9:25'],
];
const connectors = five.map(([connector = '']) => connector);
const samples = path.resolve(import.meta.dirname, '../../../shared/domain/samples/events');
const fixtures = path.resolve(import.meta.dirname, '../fixtures/events');
const files = readdirSync(fixtures).filter((name) => name !== 'related-events.xml');

function found(
  text: string,
  options: Partial<ClassifyOptions> = {},
  change = (event: ReturnType<typeof decodeAll>[number]) => event,
): ConnectionError[] {
  const all = { server: 'fallback', knownConnectors: () => [], ...options };
  return decodeAll(text)
    .map((event) => classify(change(event), all))
    .filter((evidence) => evidence?.kind === 'connection_error');
}

function names(errors: readonly ConnectionError[]): (readonly [string, string])[] {
  return errors.map(({ connector, destination }) => [connector, destination] as const);
}

test.each(files)('%s names connector and destination of each event without help', (name) => {
  const errors = found(fixtureText(name));
  const first = name === 'eventviewer-copy.xml' ? 2 : 0;
  expect(names(errors)).toEqual(five.slice(first, first + errors.length));
  expect(errors.length).toBeGreaterThan(0);
  for (const { server } of errors) expect(server).toMatch(/^(exch01|exch02|edge01)/);
});

test('the samples that came with the notes are the ones tested here', (context) => {
  if (!existsSync(samples)) {
    console.warn(`SKIPPED: ${samples} is not there; the copies in test/fixtures are tested all the same`);
    context.skip();
  }
  for (const name of readdirSync(samples))
    expect(readFileSync(path.join(fixtures, name)), name).toEqual(readFileSync(path.join(samples, name)));
});

describe('a message in another language, without strings', () => {
  const text = fixtureText('renderedxml-localized.xml');
  const withoutStrings = (event: ReturnType<typeof decodeAll>[number]) => ({ ...event, values: [] });

  test('names the connector when it is known', () => {
    const errors = found(text, { knownConnectors: () => connectors }, withoutStrings);
    expect(names(errors)).toEqual(names(found(text)));
  });

  test('counts as unknown when it is not, and keeps the destination', () => {
    const errors = found(text, {}, withoutStrings);
    expect(names(errors)).toEqual(names(found(text)).map(([, destination]) => ['unknown', destination]));
  });
});

test.each([
  ['another provider', { provider: 'PerfProc' }],
  ['another ID', { eventId: 2003 }],
  ['an ID that ends alike', { eventId: 12002 }],
  ['a provider that begins alike', { provider: 'MSExchangeTransportX' }],
])('%s never counts, whatever its message quotes', (_name, change) => {
  expect(found(winlogbeatLine(change))).toEqual([]);
  expect(found(winlogbeatLine())).toHaveLength(1);
});

test('an event without any name still counts', () => {
  const [error] = found(winlogbeatLine({ connector: '', destination: '' }));
  expect(error).toMatchObject({ connector: 'unknown', destination: 'unknown' });
});

test('every record of a file ends in exactly one outcome, whatever its bytes', async () => {
  const folder = await temporaryFolder();
  const junk = fc.string({ unit: 'binary', maxLength: 80 }).map((text) => `x${text.replace(/[\r\n]/g, '')}x`);
  const quoted = fc.jsonValue().map((value) => JSON.stringify({ value }));
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(junk, quoted, fc.constant(winlogbeatLine().trim())), { maxLength: 30 }),
      async (records) => {
        run++;
        const file = path.join(folder, `events-${run}`);
        await writeFile(file, winlogbeatLine({ recordId: 7 }) + records.map((record) => `${record}\n`).join(''));
        const ledger = await openLedger({ directory: path.join(folder, `state-${run}`), now: Date.now });
        const followed = followFiles({
          sources: [{ name: 'log', paths: [file], server: '' }],
          checkpoints: ledger.checkpoints,
          post: ledger.post,
          ...nothingKnown,
        });
        await vi.waitFor(() => {
          expect(followed.caughtUp()).toBe(true);
        });
        await followed.stop();
        await ledger.close();
        const outcomes = ledger.tallies().get('log')?.outcomes;
        expect(recordOutcomes.reduce((sum, outcome) => sum + (outcomes?.[outcome] ?? 0), 0)).toBe(records.length + 1);
      },
    ),
    { numRuns: 25 },
  );
});
