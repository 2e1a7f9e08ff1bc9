import { expect, test } from 'vitest';
import type { RelatedEvent } from '../../src/model/evidence.js';
import { createRelatedRing } from '../../src/ledger/related-ring.js';

function event(n: number, eventId: number, server = 'exch01'): RelatedEvent {
  const at = Date.parse('2026-11-28T08:00:00Z') + n * 1000;
  const key = { server, channel: 'application', recordId: n, time: at };
  return { kind: 'related_event', key, server, provider: 'MSExchangeTransport', eventId, at, text: `event ${n}` };
}

test('of a noisy kind the oldest goes, of a full ring the oldest of all, and the saved texts say what is kept', () => {
  const ring = createRelatedRing({ perServer: 5, perKind: 2 });
  for (let n = 0; n < 10; n++) ring.note(event(n, 12_014));
  for (let n = 10; n < 14; n++) ring.note(event(n, n));
  expect(ring.events().map(({ key }) => key.recordId)).toEqual([9, 10, 11, 12, 13]);
  expect(ring.texts()).toEqual(ring.events().map((each) => JSON.stringify(each)));
  expect(ring.counts()).toContainEqual({
    server: 'exch01',
    provider: 'MSExchangeTransport',
    eventId: 12_014,
    count: 10,
  });
});

test('an event that is pushed out before a save is never written as JSON, and one that stays is written once', () => {
  const ring = createRelatedRing({ perServer: 5 });
  let written = 0;
  const counted = (each: RelatedEvent): RelatedEvent => {
    const toJSON = (): RelatedEvent => {
      written++;
      return each;
    };
    return Object.assign({ ...each }, { toJSON });
  };
  for (let n = 0; n < 1000; n++) ring.note(counted(event(n, n)));
  expect(written).toBe(0);
  const texts = ring.texts();
  expect(ring.texts()).toEqual(texts);
  expect(written).toBe(5);
});
