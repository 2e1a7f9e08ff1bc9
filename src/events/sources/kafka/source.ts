/** Topics of Kafka as a kind of source: a topic each, read by this exporter alone, without a consumer group. */
import * as z from 'zod';
import { fileName, list, mapping, nonEmpty, text, whole, yesOrNo } from '../../../config/forms.js';
import { destinationOf, endpointOf } from '../../../model/endpoint.js';
import type { Clash, SourceKind } from '../source.js';
import type { TopicPart } from './topic.js';

const type = 'kafka';

const settings = mapping({
  type: z.literal(type),
  brokers: list(broker(), 'a list of host:port', 1)
    .superRefine(onceEach('each broker once', normalBroker))
    .describe('Any brokers of the cluster; the others are found by them.'),
  topics: list(topicName(), 'a list of topics', 1).superRefine(onceEach('each topic once', (topic) => topic)),
  tls: mapping({
    ca: fileName('Authorities (PEM) that sign the certificates of the brokers; default: those of Node.').optional(),
    cert: fileName('Certificate (PEM) of this exporter, where the brokers want one.').optional(),
    key: fileName('Its private key (PEM).').optional(),
  })
    .refine(({ cert, key }) => (cert === undefined) === (key === undefined), { error: 'cert and key together' })
    .optional()
    .describe('TLS to the brokers, whose names are checked; absent: plain.'),
  sasl: login().optional(),
  shard: mapping({
    index: whole(0, 999, 'This exporter reads the partitions whose number modulo `of` is this.'),
    of: whole(1, 1000, 'Exporters that share the partitions; each has a ledger of its own.'),
  })
    .refine(({ index, of }) => index < of, { error: 'an index below of' })
    .optional(),
  from: z
    .enum(['earliest', 'latest'], { error: '"earliest" or "latest"' })
    .prefault('earliest')
    .describe('Where a topic begins that was never read.'),
  unfiltered: yesOrNo()
    .optional()
    .describe(
      'Whether all records of the logs arrive; if absent, the record IDs decide. Looked at without a shard only.',
    ),
});

function broker() {
  const parse = (given: string): string | undefined =>
    /:[1-9]\d{0,4}$/.test(given) && endpointOf(given) ? given : undefined;
  return text('host:port', parse, { examples: ['kafka1.contoso.example:9093'] });
}

/** The same for every spelling of one broker. */
function normalBroker(given: string): string {
  const endpoint = endpointOf(given);
  return endpoint ? destinationOf({ ...endpoint, host: endpoint.host.replace(/\.$/, '') }) : given;
}

/** What is named twice is a slip of the pen: another one was meant. */
function onceEach(expected: string, normal: (given: string) => string) {
  return (given: readonly string[], context: z.RefinementCtx): void => {
    const known = new Set<string>();
    for (const [index, input] of given.entries())
      if (known.size === known.add(normal(input)).size)
        context.addIssue({ code: 'custom', path: [index], message: expected, input });
  };
}

/** As Kafka allows them. */
function topicName() {
  const parse = (given: string): string | undefined =>
    /^[\w.-]{1,249}$/.test(given) && given !== '.' && given !== '..' ? given : undefined;
  return text('the name of a topic (letters, digits, dot, dash, underscore; not . or ..)', parse);
}

type Numbered = { readonly index: number; readonly settings: z.output<typeof settings> };

/** A topic of one cluster in two sources: only the first of them would be read, whatever login or shard the second has. */
function topicsInTwo(all: readonly Numbered[]): Clash[] {
  const readers = new Map<string, number>();
  return all.flatMap(({ index, settings: { brokers, topics } }) =>
    topics.flatMap((topic, at): Clash[] => {
      const keys = brokers.map((each) => `${topic} ${normalBroker(each)}`);
      const other = keys.map((key) => readers.get(key)).find((reader) => reader !== undefined);
      for (const key of keys) readers.set(key, readers.get(key) ?? index);
      if (other === undefined || other === index) return [];
      const message = `a topic that sources[${other}] does not read from the same brokers`;
      return [{ index, path: ['topics', at], message, input: topic }];
    }),
  );
}

/** What is missing in one share of the partitions may be in another. */
function gapsOfShards(all: readonly Numbered[]): Clash[] {
  return all.flatMap(({ index, settings: { shard, unfiltered } }) =>
    unfiltered === true && (shard?.of ?? 1) > 1
      ? [{ index, path: ['unfiltered'], message: 'false or nothing beside a shard, which counts no gaps', input: true }]
      : [],
  );
}

function login() {
  const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'] as const;
  return mapping({
    mechanism: z.enum(mechanisms, { error: mechanisms.map((each) => `"${each}"`).join(' or ') }),
    username: text('the name of a user', nonEmpty).optional(),
    passwordFile: fileName('File with the password.').optional(),
    tokenFile: fileName('File with the token of oauthbearer; read for each connection.').optional(),
  }).refine(
    ({ mechanism, username, passwordFile, tokenFile }) =>
      mechanism === 'oauthbearer'
        ? tokenFile !== undefined && username === undefined && passwordFile === undefined
        : username !== undefined && passwordFile !== undefined && tokenFile === undefined,
    { error: 'username and passwordFile, or with oauthbearer a tokenFile alone' },
  );
}

export const kafka: SourceKind<typeof settings, TopicPart> = {
  type,
  settings,
  besideFile: (given, seen) => {
    const files = <Section extends object>(section: Section, ...names: (keyof Section)[]): Section => {
      const paths = names.flatMap((name) => (typeof section[name] === 'string' ? [[name, seen(section[name])]] : []));
      return { ...section, ...Object.fromEntries(paths) } as Section;
    };
    return {
      ...given,
      ...(given.tls && { tls: files(given.tls, 'ca', 'cert', 'key') }),
      ...(given.sasl && { sasl: files(given.sasl, 'passwordFile', 'tokenFile') }),
    };
  },
  clashes: (all) => [...topicsInTwo(all), ...gapsOfShards(all)],
  parts: (given) => {
    const parts = new Map<string, TopicPart>();
    for (const { brokers, topics, tls, sasl, shard = { index: 0, of: 1 }, from, unfiltered } of given)
      for (const topic of topics) {
        const known = parts.get(`kafka:${topic}`);
        const isSame = known?.cluster.brokers.join() === brokers.join();
        const name = known && !isSame ? `kafka:${topic}@${brokers[0] ?? ''}` : `kafka:${topic}`;
        // What is named twice is read once.
        if (!parts.has(name))
          parts.set(name, { name, server: '', topic, cluster: { brokers, tls, sasl }, shard, from, unfiltered });
      }
    return [...parts.values()];
  },
  /** A topic carries what all its producers send. */
  onlyServer: () => undefined,
  follow: async (parts, reading) => {
    const { followTopics } = await import('./follow.js');
    const { createPlatformaticClient } = await import('./platformatic-client.js');
    return followTopics({ ...reading, parts, connect: createPlatformaticClient });
  },
};
