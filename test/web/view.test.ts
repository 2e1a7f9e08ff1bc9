/** What pages show, worked out from literal books. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { finish } from '../../src/runtime/breath.js';
import type { Reason } from '../../src/model/words.js';
import { choiceOf, chosenRows } from '../../src/web/choice.js';
import { countsOf, rowsOf, type Row, type RowState } from '../../src/web/view.js';
import { ageOf, bytesOf, clockOf, headlineOf, isoOf, sentenceOf } from '../../src/web/parts/words.js';
import { booksOf, entry, ledgerRow, mailWorld, minute, now, type WorldDraft } from './world.js';

const rowsIn = (draft: WorldDraft): Row[] => finish(rowsOf(booksOf(draft), now));
const fitting = (rows: readonly Row[], query: string): Row[] =>
  finish(chosenRows(rows, choiceOf(new URLSearchParams(query))));
const chosen = (query: string): Row[] => fitting(rowsIn(mailWorld), query);

const at = '192.0.2.1:25';
const one = (lastErrorAt: number | undefined) => [ledgerRow({ connector: 'A', destination: at, lastErrorAt })];

describe('the state of a row', () => {
  const cases: [string, WorldDraft, RowState][] = [
    [
      'no connection',
      { rows: one(now), entries: [entry(at, { fails: { step: 'tcp', reason: 'timeout' } })] },
      'unreachable',
    ],
    [
      'a name that does not resolve',
      { rows: one(now), entries: [entry(at, { fails: { step: 'dns', reason: 'name_not_found' } })] },
      'unreachable',
    ],
    [
      'a refusal in SMTP',
      { rows: one(now), entries: [entry(at, { fails: { step: 'banner', reason: 'banner_5xx' } })] },
      'refusing',
    ],
    ['a good probe right after an error', { rows: one(now - 5 * minute), entries: [entry(at)] }, 'intermittent'],
    ['a good probe and no error for long', { rows: one(now - 59 * minute), entries: [entry(at)] }, 'recovered'],
    ['a good probe an hour after the error', { rows: one(now - 60 * minute), entries: [entry(at)] }, 'reachable'],
    ['an error where nobody may probe', { rows: one(now), notProbed: { [at]: 'Probing is off.' } }, 'unprobed_errors'],
    [
      'an old error where nobody may probe',
      { rows: one(now - 61 * minute), notProbed: { [at]: 'Probing is off.' } },
      'not_probed',
    ],
    [
      'a visit stopped by policy',
      { rows: one(undefined), entries: [entry(at, { fails: { step: 'tcp', reason: 'blocked_by_policy' } })] },
      'not_probed',
    ],
    [
      'a failed visit from before probing was forbidden',
      {
        rows: one(undefined),
        entries: [entry(at, { fails: { step: 'tcp', reason: 'timeout' } })],
        notProbed: { [at]: 'Denied.' },
      },
      'not_probed',
    ],
    ['nothing yet', { rows: one(undefined) }, 'waiting'],
  ];
  test.each(cases)('%s', (_name, draft, state) => {
    expect(rowsIn(draft).map((row) => row.state)).toEqual([state]);
  });

  test('an event that carries no time is as recent as its reading', () => {
    const row = {
      ...ledgerRow({ connector: 'A', destination: at, lastErrorAt: undefined }),
      lastObservedAt: now - minute,
    };
    expect(rowsIn({ rows: [row], entries: [entry(at)] })[0]).toMatchObject({
      state: 'intermittent',
      lastErrorAt: now - minute,
    });
  });

  test('a late event is news although it is old, and over where the probe passes', () => {
    const row = {
      ...ledgerRow({ connector: 'A', destination: at, lastErrorAt: now - 600 * minute }),
      lastObservedAt: now,
    };
    expect(rowsIn({ rows: [row], entries: [entry(at)] })[0]?.state).toBe('recovered');
  });
});

describe('the order and choice of rows', () => {
  test('the latest error comes first, rows without errors last, and a destination without errors is there', () => {
    const rows = rowsIn(mailWorld);
    const times = rows.map((row) => row.lastErrorAt ?? 0);
    expect(times).toEqual([...times].sort((a, b) => b - a));
    expect(rows.at(-1)?.destination).toBe('relay.contoso.example:587');
    expect(rows).toHaveLength(9);
  });

  test('every word of a search must fit somewhere in the row', () => {
    expect(chosen('q=FABRIKAM').map((row) => row.connector)).toEqual(['To Partner Fabrikam', 'To Partner Fabrikam']);
    expect(chosen('q=fabrikam+expired').map((row) => row.destination)).toEqual(['[2001:db8::25]:25']);
    expect(chosen('q=fabrikam+paris')).toEqual([]);
  });

  test('state, server and sort narrow and order', () => {
    expect(chosen('state=trouble').map((row) => row.state)).toEqual([
      'unreachable',
      'refusing',
      'intermittent',
      'unprobed_errors',
    ]);
    expect(chosen('server=exch02.contoso.example')).toHaveLength(2);
    expect(chosen('sort=errors').map((row) => row.errors)).toEqual([12_041, 14, 6, 3, 2, 1, 1, 0, 0]);
    expect(chosen('sort=errors&dir=reverse').map((row) => row.errors)[0]).toBe(0);
    expect(chosen('sort=destination')[0]?.destination).toBe('192.0.2.100:25');
  });

  test('no query makes it throw or show a row that the books do not have', () => {
    const rows = rowsIn(mailWorld);
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('q', 'state', 'server', 'sort', 'dir', 'page'), fc.string()),
        (query) => {
          const kept = fitting(rows, String(new URLSearchParams(query)));
          expect(kept.every((row) => rows.includes(row))).toBe(true);
        },
      ),
    );
  });
});

describe('the headline', () => {
  const headline = (draft: WorldDraft): string => headlineOf(rowsIn(draft)).text;

  test('says what is broken, and names the worst of it', () => {
    const { text, worst, tone } = headlineOf(rowsIn(mailWorld));
    expect(text).toBe('1 of 9 destinations cannot be reached; 1 more fails in SMTP or TLS.');
    expect(worst).toMatchObject({ connector: 'Outbound to Internet', destination: '203.0.113.25:25' });
    expect(tone).toBe('bad');
  });

  const failing = (destination: string, reason: Reason, since: number) => ({
    ...entry(destination, { fails: { step: 'tcp', reason } }),
    failingSince: now - since * minute,
  });

  test('16.4.3: a newer error elsewhere moves neither the sentence nor what it names', () => {
    const entries = [failing('192.0.2.1:25', 'refused', 90), failing('192.0.2.2:25', 'timeout', 5)];
    const row = (destination: string, ago: number) =>
      ledgerRow({ connector: 'Outbound', destination, lastErrorAt: now - ago * minute });
    const before = headlineOf(rowsIn({ entries, rows: [row('192.0.2.1:25', 60), row('192.0.2.2:25', 5)] }));
    const after = headlineOf(rowsIn({ entries, rows: [row('192.0.2.1:25', 60), row('192.0.2.2:25', 0)] }));
    expect(before.worst?.destination).toBe('192.0.2.1:25');
    expect(after.worst?.destination).toBe('192.0.2.1:25');
    expect(after.text).toBe(before.text);
  });

  test('16.4.3: unreachable is worse than refused by SMTP, however long that lasts', () => {
    const refusing = { ...entry(at, { fails: { step: 'tls', reason: 'tls_handshake' } }), failingSince: 0 };
    const entries = [refusing, failing('192.0.2.2:25', 'timeout', 1)];
    expect(headlineOf(rowsIn({ entries })).worst?.destination).toBe('192.0.2.2:25');
  });

  test('16.4.3: the numbers below the headline count what it counts: destinations, each once, in their worst state', () => {
    const rows = rowsIn({
      rows: ['A', 'B', 'C'].map((connector) =>
        ledgerRow({ connector, destination: at, lastErrorAt: connector === 'A' ? now : now - 48 * 60 * minute }),
      ),
      entries: [entry(at)],
    });
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['intermittent', 'reachable']));
    expect(countsOf(rows)).toMatchObject({ intermittent: 1, reachable: 0 });
    expect(headlineOf(rows).text).toContain('1 of 1 destination had connection errors');
    const all = Object.values(countsOf(rowsIn(mailWorld))).reduce((sum, count) => sum + count, 0);
    expect(headlineOf(rowsIn(mailWorld)).text).toContain(`of ${all} destinations`);
  });

  test('counts a destination once, however many connectors use it', () => {
    const rows = ['A', 'B', 'C'].map((connector) => ledgerRow({ connector, destination: at }));
    expect(headline({ rows, entries: [entry(at, { fails: { step: 'tcp', reason: 'timeout' } })] })).toBe(
      '1 of 1 destination cannot be reached.',
    );
  });

  test.each([
    [{}, 'No Send connector errors have been read yet.'],
    [
      { rows: one(undefined), entries: [entry(at)] },
      'The only destination can be reached, and no connection errors within the last hour.',
    ],
    [
      { rows: one(now), entries: [entry(at)] },
      '1 of 1 destination had connection errors within the last hour, although its probe passes.',
    ],
    [{ rows: one(now), notProbed: { [at]: 'Off.' } }, '1 of 1 destination had connection errors within the last hour.'],
    [
      { rows: one(undefined), notProbed: { [at]: 'Off.' } },
      'No connection errors within the last hour. Nothing is probed.',
    ],
    [{ rows: one(undefined) }, 'No connection errors within the last hour. The first probes are pending.'],
  ] as [WorldDraft, string][])('%#', (draft, text) => {
    expect(headline(draft)).toBe(text);
  });
});

describe('words', () => {
  test('every row has a sentence', () => {
    for (const row of rowsIn(mailWorld)) expect(sentenceOf(row, now)).toMatch(/^[A-Z].*\.$/);
  });

  test('ages use one unit, and times name their day when it is not today', () => {
    expect(
      [0, 1_000, 45_000, 119_000, 4 * minute, 3 * 60 * minute, 72 * 60 * minute].map((age) => ageOf(now - age, now)),
    ).toEqual(['just now', 'just now', '45 s ago', '119 s ago', '4 min ago', '3 h ago', '3 d ago']);
    expect(ageOf(now + 72 * 60 * minute, now)).toBe('in 3 d');
    expect(clockOf(now, now)).toBe('08:18:30 UTC');
    expect(clockOf(now - 24 * 60 * minute, now)).toBe('2026-11-22 08:18:30 UTC');
  });

  test('a time that no calendar has does not break the page', () => {
    expect(isoOf(Number.NaN)).toBe('unknown time');
    expect(clockOf(1e300, now)).toBe('unknown time');
  });

  test('bytes', () => {
    expect([0, 1023, 1024, 3_500_000, 5e11].map(bytesOf)).toEqual(['0 B', '1023 B', '1.0 KiB', '3.3 MiB', '466 GiB']);
  });
});
