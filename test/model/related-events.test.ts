import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classify } from '../../src/events/classify.js';
import { openLedger, type Ledger } from '../../src/ledger/ledger.js';
import type { Batch } from '../../src/model/batch.js';
import type { ConnectionError, Evidence, RelatedEvent } from '../../src/model/evidence.js';
import { createRecentErrors } from '../../src/ledger/recent-errors.js';
import { relatedKindOf } from '../../src/model/related-events.js';
import { relatedProviders } from '../../src/model/related-providers.js';
import { createRelatedRing } from '../../src/ledger/related-ring.js';
import { decodeAll, fixtureText } from '../events/records.js';
import { temporaryFolder } from '../support/folder.js';
import { metricsOf } from '../support/metrics-of.js';

const now = Date.parse('2026-01-15T08:15:00Z');
const minute = 60_000;

function related(recordId: number, changes: Partial<RelatedEvent> = {}): RelatedEvent {
  const server = changes.server ?? 'exch01';
  return {
    kind: 'related_event',
    key: { server, channel: 'system', recordId, time: now },
    server,
    provider: 'Microsoft-Windows-DNS-Client',
    eventId: 1014,
    at: now,
    text: 'mail.fabrikam.example',
    ...changes,
  };
}

function error(at: number, destination = '203.0.113.25:25', server = 'exch01'): ConnectionError {
  const key = { server, channel: 'application', recordId: undefined, time: at };
  return { kind: 'connection_error', key, server, connector: 'Outbound', destination, at };
}

describe('classifying', () => {
  const evidence = decodeAll(fixtureText('related-events.xml')).map((event) =>
    classify(event, { server: 'fallback', knownConnectors: () => [] }),
  );

  test('every event of the fixture but the foreign 2002 is related, each with its connector where it names one', () => {
    const found = evidence.map((each) =>
      each?.kind === 'related_event' ? [each.provider, each.eventId, each.connector] : undefined,
    );
    expect(found).toEqual([
      ['MSExchangeTransport', 2000, undefined],
      ['MSExchangeTransport', 2003, 'Relay, "Legacy" <DMZ> & Co'],
      ['MSExchangeTransport', 2006, 'Outbound to Internet'],
      ['MSExchangeTransport', 2014, 'EdgeSync - Berlin to Internet'],
      ['MSExchangeTransport', 2015, 'Outbound to Office 365'],
      ['MSExchangeTransport', 2017, 'Partner TLS'],
      ['MSExchangeTransport', 2022, 'Partner TLS'],
      ['MSExchangeTransport', 5016, 'Outbound to Internet'],
      ['MSExchangeTransport', 5019, 'Relay'],
      ['MSExchangeTransport', 12014, 'Outbound to Internet'],
      ['MSExchangeTransport', 12016, undefined],
      ['MSExchangeTransport', 15004, undefined],
      ['MSExchangeTransport', 15006, undefined],
      ['MSExchangeTransport', 7001, undefined],
      ['Tcpip', 4227, undefined],
      ['Tcpip', 4231, undefined],
      undefined,
      ['Microsoft-Windows-DNS-Client', 1014, undefined],
    ]);
  });

  test('its text is one bounded line of what the event says', () => {
    const texts = evidence.flatMap((each) => (each?.kind === 'related_event' ? [each.text] : []));
    expect(texts[2]).toBe('Outbound to Internet, 203.0.113.25:25');
    expect(texts.filter((text) => text.length > 300 || /[\r\n]/.test(text))).toEqual([]);
  });

  test('an ID alone is nothing: the provider decides', () => {
    expect(relatedKindOf('Application Error', 1014)).toBeUndefined();
    expect(relatedKindOf('netlogon', 5719)?.provider).toBe('NETLOGON');
    expect(relatedKindOf('E1DExpress', 27)?.provider).toBe('NIC');
  });

  test('every kind has a sentence of what it suggests', () => {
    for (const { names, kinds } of relatedProviders) {
      const ids = kinds.map(({ eventId }) => eventId);
      expect(new Set(ids).size, names[0]).toBe(ids.length);
      for (const { eventId, what, suggests } of kinds) {
        expect(what, String(eventId)).toMatch(/^\S.*[^.]$/);
        expect(suggests, String(eventId)).toMatch(/^[A-Z].*\.$/);
      }
    }
  });
});

describe('the ring of related events', () => {
  test('a noisy kind pushes out neither other kinds nor other servers, and counts go on', () => {
    const ring = createRelatedRing({ perServer: 5, perKind: 3, inAll: 100 });
    ring.note(related(1, { eventId: 4231, provider: 'Tcpip' }));
    ring.note(related(2, { server: 'exch02' }));
    for (let id = 10; id < 30; id++) ring.note(related(id));
    expect(ring.events().map(({ key }) => key.recordId)).toEqual([1, 27, 28, 29, 2]);
    expect(ring.counts().map(({ server, eventId, count }) => [server, eventId, count])).toEqual([
      ['exch01', 4231, 1],
      ['exch02', 1014, 1],
      ['exch01', 1014, 20],
    ]);
  });

  test('whatever comes, it stays within its bounds and comes back as it was saved', () => {
    const anyEvent = fc.record({
      server: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      eventId: fc.constantFrom(27, 32, 1014, 2000),
      at: fc.option(fc.nat(), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 200 }), (events) => {
        const most = { perServer: 6, perKind: 4, inAll: 15, servers: 3 };
        const ring = createRelatedRing(most);
        events.forEach((event, id) => {
          ring.note(related(id, event));
        });
        expect(ring.events().length).toBeLessThanOrEqual(15);
        expect(new Set(ring.counts().map(({ server }) => server)).size).toBeLessThanOrEqual(4);
        expect(ring.counts().reduce((sum, { count }) => sum + count, 0)).toBe(events.length);
        const saved = ring.texts().map((text) => JSON.parse(text) as RelatedEvent);
        const again = createRelatedRing({ ...most, events: saved, counts: ring.counts() });
        expect(again.texts()).toEqual(ring.texts());
        expect(again.counts()).toEqual(ring.counts());
      }),
    );
  });
});

describe('the errors of the last day', () => {
  test('a burst is one entry with a count; older than a day is not kept', () => {
    const recent = createRecentErrors();
    for (const at of [0, 1, 30_000, 59_999, 60_000]) recent.note(error(now + at), now + minute);
    recent.note({ ...error(now), kind: 'connection_failure', reason: 'timeout' }, now);
    recent.note(error(now - 25 * 60 * minute), now);
    expect(recent.all().map(({ at, until, count, reason }) => [at - now, until - now, count, reason])).toEqual([
      [0, 59_999, 4, undefined],
      [60_000, 60_000, 1, undefined],
      [0, 0, 1, 'timeout'],
    ]);
  });

  test('the oldest go first, of the server that fills the ring', () => {
    const recent = createRecentErrors([], { inAll: 10, perServer: 4 });
    recent.note(error(now, '203.0.113.1:25', 'exch02'), now);
    for (let n = 0; n < 20; n++) recent.note(error(now, `203.0.113.${n}:25`), now);
    expect(recent.all().map(({ server, destination }) => `${server} ${destination}`)).toEqual([
      'exch02 203.0.113.1:25',
      ...[16, 17, 18, 19].map((n) => `exch01 203.0.113.${n}:25`),
    ]);
    const again = createRecentErrors(recent.all(), { inAll: 10, perServer: 4 });
    expect(again.texts()).toEqual(recent.texts());
  });
});

describe('in the ledger', () => {
  const batch = (evidence: readonly Evidence[]): Batch => ({
    ...{ source: 'test', evidence, ignored: 0, unreadable: {}, checkpoint: undefined, history: false },
  });
  const open = async (directory: string): Promise<Ledger> => openLedger({ directory, now: () => now });

  test('they are entered once, as related, and are there after a restart', async () => {
    const directory = await temporaryFolder();
    const ledger = await open(directory);
    await ledger.post(batch([related(1), related(2), related(1), error(now)]));
    await ledger.close();
    expect(ledger.tallies().get('test')?.outcomes).toMatchObject({ related: 2, duplicate: 1, counted: 1 });
    const again = await open(directory);
    expect(again.related().map(({ key, text }) => [key.recordId, text])).toEqual([
      [1, 'mail.fabrikam.example'],
      [2, 'mail.fabrikam.example'],
    ]);
    expect(again.recent()).toEqual([
      { server: 'exch01', connector: 'Outbound', destination: '203.0.113.25:25', at: now, until: now, count: 1 },
    ]);
    expect(again.relatedCounts()).toMatchObject([{ eventId: 1014, count: 2 }]);
    await again.post(batch([related(2)]));
    await again.close();
    expect(again.tallies().get('test')?.outcomes).toMatchObject({ related: 0, duplicate: 1 });
  });

  test('a new counter is seen at zero first, then with its value; nothing is shown that is not saved', async () => {
    const ledger = await open(await temporaryFolder());
    const metrics = metricsOf(ledger, { now: () => now });
    const shown = async (): Promise<string | undefined> => {
      const { page, wasRead } = await metrics.render('prometheus');
      wasRead();
      const text = Buffer.concat(page.plain).toString();
      return /^exchange_send_connector_related_events_total\{.*\} (\d+)$/m.exec(text)?.[1];
    };
    expect(await shown()).toBeUndefined();
    await ledger.post(batch([related(1), related(2)]));
    expect(ledger.related()).toEqual([]);
    await expect.poll(() => ledger.related().length, { timeout: 30_000 }).toBe(2);
    expect(await shown()).toBe('0');
    expect(await shown()).toBe('2');
    await ledger.close();
  });
});
