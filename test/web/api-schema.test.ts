/** Every answer of the API fits the schema that the same exporter publishes, whatever its books hold and leave out. */
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import { origins } from '../../src/model/connectors.js';
import type { LedgerRow } from '../../src/model/batch.js';
import type { RecentError, RelatedEvent } from '../../src/model/evidence.js';
import { type HandshakeFailure, handshakeFailures } from '../../src/model/handshakes.js';
import {
  type CertificateFacts,
  type PathHop,
  type PathReport,
  type PingReport,
  type ProbeResult,
  reportStates,
  type StepResult,
  type VisitFacts,
} from '../../src/model/probes.js';
import type { SourceStatus } from '../../src/model/status.js';
import { reasons, stepNames } from '../../src/model/words.js';
import { apiRoutes } from '../../src/web/api/api.js';
import { apiSchema } from '../../src/web/api/schema.js';
import { jsonPieces } from '../../src/web/parts/long-list.js';
import { runningWeb } from './servers.js';
import { entry, minute, now, pageOf, type WorldDraft } from './world.js';

/** Which of the members that may be absent are there. */
type Optional = 'all' | 'none' | 'some';

/** An arbitrary for every member, those that may be absent too: a new member of a shape does not compile without. */
type Whole<Shape> = { readonly [Member in keyof Required<Shape>]: fc.Arbitrary<Required<Shape>[Member]> };
type Absent<Shape> = {
  [Member in keyof Shape]-?: undefined extends Shape[Member]
    ? Member
    : object extends Pick<Shape, Member>
      ? Member
      : never;
}[keyof Shape];

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const count = fc.oneof(fc.nat(5), fc.maxSafeNat());
const seconds = fc.double({ noNaN: true, noDefaultInfinity: true });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const recently = fc.integer({ min: -3 * 24 * 60, max: 0 }).map((minutes) => now + minutes * minute);
/** What a certificate or a log may say, and a clock that is wrong. */
const time = fc.oneof(recently, fc.integer({ min: -8.64e15, max: 8.64e15 }), fc.constant(253_402_300_799_999));
const reason = fc.constantFrom(...reasons);
const stepName = fc.constantFrom(...stepNames);
const destination = fc.constantFrom('203.0.113.25:25', '[2001:db8::25]:25', 'relay.contoso.example:587', 'other');
const server = fc.constantFrom('exch01.contoso.example', 'exch02');
const connector = fc.oneof(fc.constant('Outbound to Internet'), text);

function worlds(optional: Optional): fc.Arbitrary<WorldDraft> {
  const shape = <Shape extends object>(members: Whole<Shape>, ...absent: Absent<Shape>[]): fc.Arbitrary<Shape> => {
    const [names, left] = [Object.keys(members), absent as readonly string[]];
    const present: Readonly<Record<string, fc.Arbitrary<unknown>>> = Object.fromEntries(
      Object.entries<fc.Arbitrary<unknown>>(members).filter(([name]) => !left.includes(name)),
    );
    const requiredKeys = optional === 'all' ? names : Object.keys(present);
    const model: Readonly<Record<string, fc.Arbitrary<unknown>>> = optional === 'none' ? present : members;
    const made: fc.Arbitrary<object> = fc.record(model, { requiredKeys, noNullPrototype: true });
    return made as fc.Arbitrary<Shape>;
  };
  const maybe = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> => {
    if (optional === 'all') return value;
    return optional === 'none' ? fc.constant(undefined) : fc.option(value, { nil: undefined });
  };
  const source = shape<SourceStatus>(
    {
      source: text,
      up: fc.boolean(),
      detail: text,
      lastRecordAt: maybe(time),
      lagBytes: count,
      lagSeconds: seconds,
      stalledSeconds: seconds,
      bytesRead: count,
      subscription: shape<NonNullable<SourceStatus['subscription']>>({
        restarts: count,
        reopened: count,
        bookmarksLost: count,
      }),
      topic: shape<NonNullable<SourceStatus['topic']>>({
        partitions: fc.array(fc.record({ partition: count, lagRecords: count, lagSeconds: seconds }), { maxLength: 3 }),
        reconnects: count,
        resets: fc.record({ retention: count, truncated: count, recreated: count }),
      }),
      pushed: shape<NonNullable<SourceStatus['pushed']>>({
        accepted: count,
        unreadable: count,
        too_large: count,
        busy: count,
        unauthorized: count,
      }),
      handshakes: fc.record(
        Object.fromEntries(handshakeFailures.map((each) => [each, count])) as Record<HandshakeFailure, typeof count>,
      ),
    },
    'lastRecordAt',
    'subscription',
    'topic',
    'pushed',
    'handshakes',
  );
  const row = shape<LedgerRow>(
    {
      server,
      connector,
      destination,
      errors: fc.nat(1e9),
      attempts: count,
      failures: fc.dictionary(reason, count),
      lastErrorAt: maybe(recently),
      lastObservedAt: maybe(recently),
      lastAttemptAt: maybe(recently),
      host: text,
    },
    'lastErrorAt',
    'lastObservedAt',
    'lastAttemptAt',
    'host',
  );
  const step = shape<StepResult>(
    { step: stepName, seconds, outcome: fc.constantFrom('passed', 'failed'), reason, detail: text },
    'reason',
    'detail',
  );
  const certificate = shape<CertificateFacts>({
    verified: fc.boolean(),
    earliestSentEndsAt: time,
    fingerprint: text,
    serialNumber: text,
    subject: text,
    issuer: text,
    names: fc.array(text),
  });
  const facts = shape<VisitFacts>(
    {
      address: text,
      addresses: fc.array(text),
      tlsVersion: text,
      tlsCipher: text,
      certificateExpiresAt: time,
      leafExpiresAt: time,
      certificate,
    },
    'address',
    'addresses',
    'tlsVersion',
    'tlsCipher',
    'certificateExpiresAt',
    'leafExpiresAt',
    'certificate',
  );
  const visit = shape<ProbeResult>(
    {
      id: text,
      destination,
      host: text,
      origin: fc.constantFrom(...origins),
      at: time,
      seconds,
      success: fc.boolean(),
      failedStep: maybe(stepName),
      reason: maybe(reason),
      warning: shape<NonNullable<ProbeResult['warning']>>({ step: stepName, reason }),
      steps: fc.array(step),
      facts,
      transcript: fc.array(
        shape<ProbeResult['transcript'][number]>({ ms: seconds, direction: fc.constantFrom('>', '<', '*'), text }),
      ),
    },
    'failedStep',
    'reason',
    'warning',
  );
  const report = { at: time, program: text, state: fc.constantFrom(...reportStates), detail: text };
  const rttSeconds = shape<NonNullable<PingReport['rttSeconds']>>({ min: seconds, average: seconds, max: seconds });
  const ping = shape<PingReport>({ ...report, sent: count, received: count, rttSeconds }, 'rttSeconds', 'detail');
  const hop = shape<PathHop>(
    { hop: count, address: text, lossRatio: share, rttSeconds: seconds },
    'address',
    'lossRatio',
    'rttSeconds',
  );
  const path = shape<PathReport>({ ...report, reached: fc.boolean(), hops: fc.array(hop) }, 'detail');
  const counted = fc
    .tuple(count, count)
    .map(([passed, failed]) => ({ passed, all: Math.min(passed + failed, 2 ** 53 - 1) }));
  const availability = fc.record({
    day: counted,
    week: counted,
    month: counted,
    outages: fc.array(fc.record({ from: time, until: maybe(time) })),
  });
  const recent = shape<RecentError>(
    { server, connector, destination, reason: maybe(reason), at: time, until: time, count },
    'reason',
  );
  const related = shape<RelatedEvent>(
    {
      kind: fc.constant('related_event'),
      key: fc.constant({ server: 'exch01', channel: 'application', recordId: undefined, time: undefined }),
      server,
      provider: fc.constantFrom('MSExchangeTransport', 'Tcpip', 'Schannel'),
      eventId: fc.oneof(fc.constantFrom(2000, 4231, 36_874), fc.nat(65_535)),
      at: time,
      text,
      connector: maybe(connector),
    },
    'connector',
  );
  const place = fc.record({
    destination,
    history: fc.array(visit, { minLength: 1, maxLength: 3 }),
    ping: maybe(ping),
    path: maybe(path),
    failingSince: maybe(time),
    lastSuccessAt: maybe(time),
  });
  return fc
    .record({
      rows: fc.array(row, { maxLength: 4 }),
      places: fc.uniqueArray(place, { maxLength: 3, selector: (each) => each.destination }),
      sources: fc.array(source, { maxLength: 2 }),
      saving: fc.record({ failing: maybe(text), lastSavedAt: maybe(time) }),
      recent: fc.array(recent, { maxLength: 3 }),
      related: fc.array(related, { maxLength: 3 }),
      availability: fc.dictionary(destination, availability),
      why: fc.array(text, { maxLength: 2 }),
      notices: fc.array(text, { maxLength: 2 }),
      notProbed: fc.dictionary(destination, text),
    })
    .map(({ places, ...world }) => ({ ...world, entries: places.map(entryOf) }));
}

type Entry = NonNullable<WorldDraft['entries']>[number];
type Place = Pick<Entry, 'destination' | 'failingSince' | 'lastSuccessAt'> & {
  readonly history: readonly ProbeResult[];
  readonly ping: PingReport | undefined;
  readonly path: PathReport | undefined;
};

function entryOf({ history, ...place }: Place): Entry {
  const latest = history[0]!;
  const lastGood = history.find(({ success }) => success);
  const lastFailed = history.find(({ success }) => !success);
  return { ...entry(place.destination), ...place, latest, lastGood, lastFailed, history };
}

/** As a program gets it: the JSON of an answer, read again. */
function published(name: string) {
  const { $defs } = JSON.parse(JSON.stringify(apiSchema)) as { readonly $defs: Record<string, never> };
  return z.fromJSONSchema($defs[name]!);
}

describe.each(apiRoutes)('issue 17, 3: $path', ({ name, path, answer }) => {
  test.each(['all', 'none', 'some'] as const)('fits the published schema with %s of what may be absent', (optional) => {
    const schema = published(name);
    fc.assert(
      fc.property(worlds(optional), destination, (world, id) => {
        const page = pageOf(world);
        const { status, body } = answer(page, { params: { id }, query: new URLSearchParams() });
        const read: unknown = JSON.parse([...jsonPieces(body)].join(''));
        if (status === 404) expect(read).toEqual({ error: 'not found', destination: id });
        else expect(schema.safeParse(read).error?.issues ?? []).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test('fits it as the web server sends it, with a world that has everything', async () => {
    const [world] = fc.sample(
      worlds('all').filter(({ entries = [], sources = [] }) => entries.length * sources.length > 0),
      {
        numRuns: 1,
        seed: 17,
      },
    );
    const web = await runningWeb(world!);
    onTestFinished(web.close);
    const schema = (await (await fetch(`${web.url}/api/v1/schema`)).json()) as typeof apiSchema;
    const id = encodeURIComponent(world!.entries![0]!.destination);
    const sent: unknown = await (await fetch(web.url + path.replace(':id', id))).json();
    expect(Object.values(sent as object).flat()).not.toEqual([]);
    expect(z.fromJSONSchema(schema.$defs[name] as never).safeParse(sent).error?.issues ?? []).toEqual([]);
  });
});

test('issue 17, 3: the published schema is that of the golden file', async () => {
  const text = `${JSON.stringify(apiSchema, null, 2)}\n`;
  await expect(text).toMatchFileSnapshot('../golden/api-schema.json');
});
