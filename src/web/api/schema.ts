/** The JSON Schema of `/api/v1`, one definition for each route. */
import { diagnoses, reasons, stepNames } from '../../model/words.js';
import { origins } from '../../model/connectors.js';
import { recordOutcomes } from '../../model/records.js';
import { reportStates } from '../../model/probes.js';
import { rowStates } from '../view.js';

const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };
const number = { type: 'number' };
const flag = { type: 'boolean' };
const orNull = (schema: object) => ({ anyOf: [schema, { type: 'null' }] });
const oneOf = (values: readonly string[]) => ({ enum: [...values] });
const listOf = (items: object) => ({ type: 'array', items });
const time = { type: 'string', format: 'date-time' };
const maybeTime = orNull(time);

/** All properties are required unless their name ends in a question mark. */
function shape(properties: Readonly<Record<string, object>>) {
  const entries = Object.entries(properties).map(([name, schema]) => [name.replace(/\?$/, ''), schema] as const);
  const required = Object.keys(properties).filter((name) => !name.endsWith('?'));
  return { type: 'object', properties: Object.fromEntries(entries), required, additionalProperties: false };
}

const pair = shape({
  server: orNull(text),
  connector: orNull(text),
  destination: text,
  state: oneOf(rowStates),
  errors: count,
  lastErrorAt: maybeTime,
  diagnosis: orNull(oneOf(diagnoses)),
  sentence: text,
  since: maybeTime,
});
const source = shape({
  source: text,
  up: flag,
  detail: text,
  lastRecordAt: maybeTime,
  lagBytes: number,
  lagSeconds: number,
  stalledSeconds: number,
  bytesRead: number,
});
const report = { at: maybeTime, program: text, state: oneOf(reportStates), 'detail?': text };
const ping = shape({
  ...report,
  sent: count,
  received: count,
  'rttSeconds?': shape({ min: number, average: number, max: number }),
});
const hop = shape({ hop: count, 'address?': text, 'lossRatio?': number, 'rttSeconds?': number });
const path = shape({ ...report, reached: flag, hops: listOf(hop) });
const visitsPassed = shape({ visits: count, passed: count, ratio: orNull(number) });
const availability = shape({
  day: visitsPassed,
  week: visitsPassed,
  month: visitsPassed,
  outages: listOf(shape({ from: maybeTime, until: maybeTime })),
});
const destination = shape({
  destination: text,
  host: orNull(text),
  origin: orNull(oneOf(origins)),
  notProbedBecause: orNull(text),
  probes: count,
  success: orNull(flag),
  failedStep: orNull(oneOf(stepNames)),
  reason: orNull(oneOf(reasons)),
  failingSince: maybeTime,
  lastSuccessAt: maybeTime,
  availability: orNull(availability),
  ping: orNull(ping),
  path: orNull(path),
});
const step = shape({
  step: oneOf(stepNames),
  seconds: number,
  outcome: oneOf(['passed', 'failed']),
  'reason?': oneOf(reasons),
  'detail?': text,
});
const visit = shape({
  id: text,
  destination: text,
  host: text,
  origin: oneOf(origins),
  at: maybeTime,
  seconds: number,
  success: flag,
  failedStep: orNull(oneOf(stepNames)),
  reason: orNull(oneOf(reasons)),
  'warning?': shape({ step: oneOf(stepNames), reason: oneOf(reasons) }),
  steps: listOf(step),
  facts: shape({
    'address?': text,
    'addresses?': listOf(text),
    'tlsVersion?': text,
    'tlsCipher?': text,
    certificateExpiresAt: maybeTime,
    'leafExpiresAt?': maybeTime,
    'certificate?': shape({
      verified: flag,
      earliestSentEndsAt: maybeTime,
      fingerprint: text,
      serialNumber: text,
      subject: text,
      issuer: text,
      names: listOf(text),
    }),
  }),
  transcript: listOf(shape({ ms: number, direction: oneOf(['>', '<', '*']), text })),
});
const error = shape({
  kind: { const: 'error' },
  at: maybeTime,
  until: maybeTime,
  server: text,
  connector: text,
  destination: text,
  reason: orNull(oneOf(reasons)),
  count,
});
const related = shape({
  kind: { const: 'related' },
  at: maybeTime,
  server: text,
  provider: text,
  eventId: count,
  text,
  connector: orNull(text),
  what: orNull(text),
  suggests: orNull(text),
});

export const apiSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'send-connector-exporter API, version 1',
  description: `Times are ISO 8601 in UTC. Records end as one of: ${recordOutcomes.join(', ')}.`,
  $defs: {
    status: shape({
      at: time,
      version: text,
      ready: flag,
      notReadyBecause: listOf(text),
      notices: listOf(text),
      saving: shape({ failing: orNull(text), lastSavedAt: maybeTime }),
      sources: listOf(source),
      pairs: listOf(pair),
    }),
    connectors: shape({ connectors: listOf(shape({ connector: text, errors: count, pairs: listOf(pair) })) }),
    destinations: shape({ destinations: listOf(destination) }),
    visits: shape({ destination: text, visits: listOf(visit) }),
    events: shape({ events: listOf({ anyOf: [error, related] }) }),
  },
};
