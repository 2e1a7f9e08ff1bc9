/** The answers of `/api/v1`, each described once: its TypeScript type and the published JSON Schema come from here. */
import * as z from 'zod';
import { origins } from '../../model/connectors.js';
import { handshakeFailures } from '../../model/handshakes.js';
import { reportStates } from '../../model/probes.js';
import { diagnoses, reasons, stepNames } from '../../model/words.js';
import { rowStates } from '../view.js';

const text = z.string();
const count = z.int().min(0);
const time = z.iso.datetime();
const maybeTime = time.nullable();
const reason = z.enum(reasons);
const stepName = z.enum(stepNames);

const pair = z.strictObject({
  server: text.nullable(),
  connector: text.nullable(),
  destination: text,
  state: z.enum(rowStates),
  errors: count,
  lastErrorAt: maybeTime,
  diagnosis: z.enum(diagnoses).nullable(),
  sentence: text,
  since: maybeTime,
});
const source = z.strictObject({
  source: text,
  up: z.boolean(),
  detail: text,
  lastRecordAt: maybeTime,
  lagBytes: z.number(),
  lagSeconds: z.number(),
  stalledSeconds: z.number(),
  bytesRead: z.number(),
  /** Of a live log only. */
  subscription: z.strictObject({ restarts: count, reopened: count, bookmarksLost: count }).optional(),
  /** Of a topic of Kafka only. */
  topic: z
    .strictObject({
      partitions: z.array(z.strictObject({ partition: count, lagRecords: count, lagSeconds: z.number() })),
      reconnects: count,
      resets: z.strictObject({ retention: count, truncated: count, recreated: count }),
    })
    .optional(),
  /** Of what is pushed only: requests by outcome. */
  pushed: z
    .strictObject({ accepted: count, unreadable: count, too_large: count, busy: count, unauthorized: count })
    .optional(),
  /** Of what listens over TLS only: handshakes that failed, by reason. */
  handshakes: z.record(z.enum(handshakeFailures), count).optional(),
});
const report = { at: maybeTime, program: text, state: z.enum(reportStates), detail: text.optional() };
const ping = z.strictObject({
  ...report,
  sent: count,
  received: count,
  rttSeconds: z.strictObject({ min: z.number(), average: z.number(), max: z.number() }).optional(),
});
const hop = z.strictObject({
  hop: count,
  address: text.optional(),
  lossRatio: z.number().optional(),
  rttSeconds: z.number().optional(),
});
const path = z.strictObject({ ...report, reached: z.boolean(), hops: z.array(hop) });
const visitsPassed = z.strictObject({ visits: count, passed: count, ratio: z.number().nullable() });
const availability = z.strictObject({
  day: visitsPassed,
  week: visitsPassed,
  month: visitsPassed,
  outages: z.array(z.strictObject({ from: maybeTime, until: maybeTime })),
});
const destination = z.strictObject({
  destination: text,
  host: text.nullable(),
  origin: z.enum(origins).nullable(),
  notProbedBecause: text.nullable(),
  probes: count,
  success: z.boolean().nullable(),
  failedStep: stepName.nullable(),
  reason: reason.nullable(),
  failingSince: maybeTime,
  lastSuccessAt: maybeTime,
  availability: availability.nullable(),
  ping: ping.nullable(),
  path: path.nullable(),
});
const step = z.strictObject({
  step: stepName,
  seconds: z.number(),
  outcome: z.enum(['passed', 'failed']),
  reason: reason.optional(),
  detail: text.optional(),
});
const visit = z.strictObject({
  id: text,
  destination: text,
  host: text,
  origin: z.enum(origins),
  at: maybeTime,
  seconds: z.number(),
  success: z.boolean(),
  failedStep: stepName.nullable(),
  reason: reason.nullable(),
  warning: z.strictObject({ step: stepName, reason }).optional(),
  steps: z.array(step),
  facts: z.strictObject({
    address: text.optional(),
    addresses: z.array(text).optional(),
    tlsVersion: text.optional(),
    tlsCipher: text.optional(),
    certificateExpiresAt: maybeTime,
    leafExpiresAt: maybeTime.optional(),
    certificate: z
      .strictObject({
        verified: z.boolean(),
        earliestSentEndsAt: maybeTime,
        fingerprint: text,
        serialNumber: text,
        subject: text,
        issuer: text,
        names: z.array(text),
      })
      .optional(),
  }),
  transcript: z.array(z.strictObject({ ms: z.number(), direction: z.enum(['>', '<', '*']), text })),
});
const error = z.strictObject({
  kind: z.literal('error'),
  at: maybeTime,
  until: maybeTime,
  server: text,
  connector: text,
  destination: text,
  reason: reason.nullable(),
  count,
});
const related = z.strictObject({
  kind: z.literal('related'),
  at: maybeTime,
  server: text,
  provider: text,
  eventId: count,
  text,
  connector: text.nullable(),
  what: text.nullable(),
  suggests: text.nullable(),
});

/** What a route answers with status 200, by the name of its definition in the published schema. */
export const answers = {
  status: z.strictObject({
    at: time,
    version: text,
    ready: z.boolean(),
    notReadyBecause: z.array(text),
    notices: z.array(text),
    saving: z.strictObject({ failing: text.nullable(), lastSavedAt: maybeTime }),
    sources: z.array(source),
    pairs: z.array(pair),
  }),
  connectors: z.strictObject({
    connectors: z.array(z.strictObject({ connector: text, errors: count, pairs: z.array(pair) })),
  }),
  destinations: z.strictObject({ destinations: z.array(destination) }),
  visits: z.strictObject({ destination: text, visits: z.array(visit) }),
  events: z.strictObject({ events: z.array(z.union([error, related])) }),
};

export type Answers = { readonly [Name in keyof typeof answers]: z.infer<(typeof answers)[Name]> };
