/**
 * Topics of a real Apache Kafka, read by the built exporter while it is killed, while Kafka deletes what was not read, and while
 * topics come and go: every event is counted once. `npm run bench -- kafka` does it at full length.
 */
import { execFile, execFileSync } from 'node:child_process';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  Admin,
  alterUserScramCredentialsV0,
  type Connection,
  deleteRecordsV2,
  endTxnV3,
  findCoordinatorV4,
  initProducerIdV4,
  produceV9,
  Producer,
  Writer,
} from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { startAddingScraper } from '../support/adding-scraper.js';
import { authorityOf, certificateOf, newKeys } from '../support/certificate-maker.js';
import { line } from '../support/exactness.js';
import { builtProgram, loopbackOnly, startExporter, type RunningExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { hasKafka, startKafka, type RunningKafka } from '../support/kafka-broker.mjs';
import { type OtlpRequest, protobufOf, requestOf } from '../support/otlp-request.js';
import { hasProgram } from '../support/programs.js';
import { series, total, valueOf } from '../support/scraped.js';
import { linesOf, shipped } from '../support/shipped-logs.js';

const canRun = hasProgram('java') && hasProgram('kcat') && hasKafka();

/** Brokers of a test start within this. */
const startMs = 90_000;
const patience = { timeout: 40_000, interval: 50 };

/** `npm run bench -- kafka` kills a hundred times. */
const kills = Number(process.env.KILLS ?? 4);
const partitions = Number(process.env.PARTITIONS ?? 4);
/** Events in what is written during one life, and records for each of them, most of which are none. */
const hitsAKill = Number(process.env.HITS ?? 60);
const recordsForEach = Number(process.env.RECORDS ?? 5);
const noise = (at: number): string => line(1_000_000 + at, { eventId: 7036, provider: 'Service Control Manager' });

type Compression = 'none' | 'gzip' | 'snappy' | 'lz4';

describe.skipIf(!canRun)('19.1: topics of Kafka', { timeout: 180_000 + kills * 10_000 }, () => {
  const world: { kafka?: RunningKafka; secrets?: string } = {};
  const kafka = (): RunningKafka => world.kafka ?? raise('Kafka is down');

  beforeAll(async () => {
    const secrets = mkdtempSync(path.join(tmpdir(), 'kafka-secrets-'));
    world.secrets = secrets;
    const authority = authorityOf('Test Authority');
    const keys = newKeys('rsa2048');
    const { cert: certificate } = certificateOf({
      subject: 'broker',
      names: ['localhost'],
      issuer: authority,
      keys,
      purpose: 'server',
    });
    writeFileSync(path.join(secrets, 'ca.pem'), authority.pem);
    const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    writeFileSync(path.join(secrets, 'broker.pem'), key + certificate);
    const { cert, key: ownKey } = certificateOf({ subject: 'exporter', issuer: authority, purpose: 'client' });
    writeFileSync(path.join(secrets, 'exporter.pem'), cert);
    writeFileSync(path.join(secrets, 'exporter.key'), ownKey);
    writeFileSync(path.join(secrets, 'token'), unsignedToken('exporter'));
    writeFileSync(path.join(secrets, 'old-token'), unsignedToken('exporter', -3_600));
    writeFileSync(path.join(secrets, 'password'), 'correct horse\n');
    writeFileSync(path.join(secrets, 'wrong'), 'battery staple\n');
    const login = 'org.apache.kafka.common.security';
    world.kafka = await startKafka({
      properties: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS',
      },
      listeners: {
        SECURE: {
          protocol: 'SASL_SSL',
          host: 'localhost',
          settings: {
            'ssl.keystore.type': 'PEM',
            'ssl.keystore.location': path.join(secrets, 'broker.pem'),
            'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512,OAUTHBEARER',
            'oauthbearer.sasl.jaas.config': `${login}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
            'plain.sasl.jaas.config': `${login}.plain.PlainLoginModule required user_exporter="correct horse";`,
            'scram-sha-512.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
          },
        },
        MUTUAL: {
          protocol: 'SSL',
          host: 'localhost',
          settings: {
            'ssl.keystore.type': 'PEM',
            'ssl.keystore.location': path.join(secrets, 'broker.pem'),
            'ssl.truststore.type': 'PEM',
            'ssl.truststore.location': path.join(secrets, 'ca.pem'),
            'ssl.client.auth': 'required',
            'ssl.principal.mapping.rules': 'RULE:^CN=([^,]*).*$/$1/',
          },
        },
      },
    });
  }, startMs);
  afterAll(async () => {
    await world.kafka?.stop();
    if (world.secrets !== undefined) rmSync(world.secrets, { recursive: true });
  });

  async function admin<Result>(work: (admin: Admin) => Promise<Result>): Promise<Result> {
    const client = new Admin({ clientId: 'test', bootstrapBrokers: kafka().brokers });
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }
  const createTopic = (topic: string, partitions = 1) =>
    admin((each) => each.createTopics({ topics: [topic], partitions, replicas: 1 }));
  async function produce(
    topic: string,
    values: readonly (string | Buffer)[],
    compression: Compression = 'none',
    partitions = 1,
  ): Promise<void> {
    const producer = new Producer({ clientId: 'test', bootstrapBrokers: kafka().brokers });
    const messages = values.map((value, at) => ({
      topic,
      value: Buffer.from(value as string),
      partition: at % partitions,
    }));
    await producer.send({ messages, acks: -1, compression });
    await producer.close();
  }
  const kcat = (input: string, ...args: string[]): string =>
    execFileSync('kcat', ['-b', kafka().brokers[0] ?? '', ...args], { input, encoding: 'utf8', timeout: 20_000 });

  async function configFile(topics: readonly string[], more = ''): Promise<string> {
    const file = path.join(await temporaryFolder(), 'config.yml');
    writeFileSync(
      file,
      `sources:\n  - type: kafka\n    brokers: ${JSON.stringify(kafka().brokers)}\n    topics: ${JSON.stringify(topics)}\n${more}`,
    );
    return file;
  }
  async function follow(file: string, stateDirectory: string): Promise<RunningExporter> {
    const exporter = await startExporter({ stateDirectory, args: [`--config.file=${file}`, '--no-probe'] });
    onTestFinished(() => exporter.kill9());
    return exporter;
  }
  const counts = (exporter: RunningExporter, events: number) =>
    vi.waitFor(async () => {
      expect(total(await exporter.scrape())).toBe(events);
    }, patience);

  test('kill -9 while records of every compression come, partitions are added and a transaction is given up: each once', async () => {
    await createTopic('events', partitions);
    // Its record IDs are of no log: those of what is no event begin at a million.
    const file = await configFile(['events'], '    unfiltered: false\n');
    const stateDirectory = await temporaryFolder();
    const running: { exporter?: RunningExporter | undefined } = {};
    const scraper = startAddingScraper(
      async () => (await running.exporter?.scrape()) ?? Promise.reject(new Error('down')),
      20,
    );
    let events = 0;
    const next = (count: number): string[] =>
      Array.from({ length: count * recordsForEach }, (_, at) =>
        at % recordsForEach === 0 ? line(++events) : noise(at),
      );
    const kinds: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4'];
    for (let kill = 0; kill < kills; kill++) {
      running.exporter = await follow(file, stateDirectory);
      const writing = produce('events', next(hitsAKill), kinds[kill % kinds.length], partitions);
      await pause(Math.random() * 400);
      const { exporter } = running;
      running.exporter = undefined;
      await exporter.kill9();
      await writing;
    }
    kcat(next(60).join(''), '-P', '-t', 'events', '-z', 'zstd');
    // A producer that delivers twice, several records in one value, a value of nothing, and what is no event.
    await produce('events', [line(1), next(1).join(''), '', '{"other":1}', 'garbage'], 'none', partitions);
    await admin((each) =>
      each.createPartitions({
        topics: [{ name: 'events', count: partitions + 2, assignments: null as never }],
        validateOnly: false,
      }),
    );
    await produce('events', next(24), 'none', partitions + 2);
    await giveUpTransaction(kafka().brokers, 'events', line(900_001), line(900_002));
    events += 1;
    running.exporter = await follow(file, stateDirectory);
    await counts(running.exporter, events);
    await running.exporter.stop();
    // Whatever was read twice would show once all is read again.
    const last = (running.exporter = await follow(file, stateDirectory));
    await vi.waitFor(async () => {
      expect((await last.page('/-/ready')).body).toBe('ready\n');
    }, patience);
    await counts(last, events);
    expect(await valueOf(last, 'exchange_exporter_source_records_missed_total', 'kafka:events')).toBe(0);
    await scraper.stop();
    expect(scraper.falls()).toEqual([]);
  });

  test('retention that overtakes reading counts what is missing, a topic made anew is read from its beginning', async () => {
    await createTopic('kept');
    const file = await configFile(['kept']);
    const stateDirectory = await temporaryFolder();
    await produce(
      'kept',
      Array.from({ length: 10 }, (_, at) => line(at + 1)),
    );
    const first = await follow(file, stateDirectory);
    await counts(first, 10);
    await first.stop();
    await produce(
      'kept',
      Array.from({ length: 20 }, (_, at) => line(at + 11)),
    );
    await deleteRecords(kafka().brokers, 'kept', 17);
    const second = await follow(file, stateDirectory);
    await counts(second, 23);
    expect(await valueOf(second, 'exchange_exporter_source_records_missed_total', 'kafka:kept')).toBe(7);
    expect(await valueOf(second, 'exchange_exporter_source_offset_resets_total', 'retention')).toBe(1);
    await admin((each) => each.deleteTopics({ topics: ['kept'] }));
    await vi.waitFor(() => createTopic('kept'), patience);
    // What was read before comes again, and something new.
    await produce(
      'kept',
      [29, 30, 31, 32].map((id) => line(id)),
    );
    await counts(second, 25);
    expect(await valueOf(second, 'exchange_exporter_source_offset_resets_total', 'recreated')).toBe(1);
  });

  test('two exporters share the partitions of a topic, and values of the Collector and of others count', async () => {
    await createTopic('shared', 4);
    const shard = (index: number): string => `    shard: { index: ${index}, of: 2 }\n`;
    const otlp = (id: number): OtlpRequest => requestOf([JSON.parse(line(id)) as unknown, { message: 'another' }]);
    const values = Array.from({ length: 8 }, (_, at) => line(at + 1));
    values.push(JSON.stringify(otlp(101)), `\n\n${line(102)}`, `${line(103)}${line(104)}`.replaceAll('\n', ''));
    await produce('shared', values, 'none', 4);
    // In a partition of the second share.
    await produce('shared', ['', protobufOf(otlp(105))], 'gzip', 2);
    const [first, second] = await Promise.all(
      [0, 1].map(async (index) => follow(await configFile(['shared'], shard(index)), await temporaryFolder())),
    );
    const page = async (each: RunningExporter | undefined) => (await each?.scrape()) ?? '';
    await vi.waitFor(async () => {
      expect(total(await page(first)) + total(await page(second))).toBe(13);
    }, patience);
    const partitionsOf = (text: string): string[] =>
      [...text.matchAll(/source_partition_lag_records\{.*partition="(\d+)"/g)].map(([, partition = '']) => partition);
    expect(partitionsOf(await page(first)).sort()).toEqual(['0', '2']);
    expect(partitionsOf(await page(second)).sort()).toEqual(['1', '3']);
  });

  test('lines of a transport log that Filebeat ships count as its file, each once over a kill within a session and over repeats', async () => {
    await createTopic('logs');
    const file = await configFile(['logs']);
    const stateDirectory = await temporaryFolder();
    const fixture = path.resolve(import.meta.dirname, '../fixtures/transport-logs/SEND20260115-1.LOG');
    // Of yesterday: what has been silent for long is not shown.
    const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
    const lines = linesOf(fixture).map((each) => shipped({ ...each, text: each.text.replace('2026-01-15', day) }));
    const sums = async (exporter: RunningExporter) => {
      const page = await exporter.scrape();
      return ['attempts', 'failures'].map((what) =>
        [...series(page, `exchange_send_connector_connection_${what}_total`).values()].reduce((a, b) => a + b, 0),
      );
    };
    const first = await follow(file, stateDirectory);
    // It ends within a session.
    await produce('logs', lines.slice(0, 20), 'gzip');
    await vi.waitFor(async () => {
      expect((await sums(first))[0]).toBeGreaterThan(0);
    }, patience);
    await first.kill9();
    await produce('logs', [...lines.slice(3, 12), ...lines.slice(16)], 'gzip');
    const second = await follow(file, stateDirectory);
    await vi.waitFor(async () => {
      expect(await sums(second)).toEqual([5, 5]);
    }, patience);
    await produce('logs', [...lines.slice(5), line(1)]);
    await counts(second, 1);
    expect(await sums(second)).toEqual([5, 5]);
    expect(await valueOf(second, 'exchange_exporter_source_records_total', 'outcome="unreadable"')).toBe(0);
  });

  test('TLS and login: SCRAM, PLAIN, a token and a client certificate are followed, and doctor names what is wrong with each', async () => {
    await createTopic('secret');
    await produce('secret', [line(1)]);
    await addScramUser(kafka().brokers, 'exporter', 'correct horse');
    const secrets = world.secrets ?? '';
    const secured = (
      brokers: string,
      { ca = 'ca.pem', password = 'password', mechanism = 'scram-sha-512', topic = 'secret' } = {},
    ): string => `sources:
  - type: kafka
    brokers: ["${brokers}"]
    topics: [${topic}]
    tls: { ca: ${path.join(secrets, ca)} }
    sasl: { mechanism: ${mechanism}, username: exporter, passwordFile: ${path.join(secrets, password)} }
`;
    const secure = kafka().listener('SECURE')[0] ?? '';
    const doctor = async (text: string): Promise<string> => {
      const file = path.join(await temporaryFolder(), 'config.yml');
      writeFileSync(file, text);
      const args = [
        ...loopbackOnly,
        builtProgram,
        'doctor',
        `--config.file=${file}`,
        `--state.directory=${await temporaryFolder()}`,
        '--no-probe',
      ];
      const output = await outputOf(args);
      return /^.*\bsource .*$/m.exec(output)?.[0] ?? output;
    };
    expect(await doctor(secured(secure))).toContain('no right to read topic secret');
    await allowRead(kafka().brokers, 'exporter');
    const file = path.join(await temporaryFolder(), 'config.yml');
    writeFileSync(file, secured(secure));
    await counts(await follow(file, await temporaryFolder()), 1);
    const byToken = (file: string): string =>
      secured(secure).replace(/sasl: .*/, `sasl: { mechanism: oauthbearer, tokenFile: ${path.join(secrets, file)} }`);
    const mutual = kafka().listener('MUTUAL')[0] ?? '';
    const own = `, cert: ${path.join(secrets, 'exporter.pem')}, key: ${path.join(secrets, 'exporter.key')} }`;
    const byNobody = secured(mutual).replace(/ {4}sasl: .*\n/, '');
    const nowhere = `sources:\n  - type: kafka\n    brokers: ${JSON.stringify(kafka().brokers)}\n    topics: [nowhere]\n`;
    const told = await Promise.all(
      [
        secured(secure, { mechanism: 'plain' }),
        secured(secure, { password: 'wrong' }),
        secured(secure, { ca: 'broker.pem' }),
        secured(secure.replace('localhost', '127.0.0.1')),
        secured('127.0.0.1:1'),
        nowhere,
        byToken('token'),
        byToken('old-token'),
        byNobody.replace(' }', own),
        byNobody,
      ].map(doctor),
    );
    expect(told).toEqual([
      expect.stringMatching(/^ok .*following 1 partition/),
      expect.stringContaining('the login failed'),
      expect.stringContaining('the certificate is not accepted'),
      expect.stringContaining('its certificate is for another name'),
      expect.stringContaining('connection refused'),
      expect.stringContaining('topic nowhere does not exist'),
      expect.stringMatching(/^ok .*following 1 partition/),
      expect.stringContaining('the login failed'),
      expect.stringMatching(/^ok .*following 1 partition/),
      expect.stringMatching(/tls\.cert/),
    ]);
  });
});

/** A token as it is for tests: nobody has signed it. @param seconds from now for which it is good */
function unsignedToken(sub: string, seconds = 3_600): string {
  const now = Math.floor(Date.now() / 1000);
  const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  return `${encoded({ alg: 'none' })}.${encoded({ sub, iat: now - 7_200, exp: now + seconds })}.`;
}

/** What a command of the exporter prints, whatever its exit code. */
function outputOf(args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { encoding: 'utf8', timeout: 60_000 }, (_error, stdout) => {
      resolve(stdout);
    });
  });
}

async function withConnection<Result>(
  brokers: readonly string[],
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const client = new Admin({ clientId: 'test', bootstrapBrokers: [...brokers] });
  try {
    const [connection] = (await client.connectToBrokers()).values();
    return await work(connection ?? raise('no broker'));
  } finally {
    await client.close();
  }
}

async function deleteRecords(brokers: readonly string[], name: string, before: number): Promise<void> {
  const partitions = [{ partitionIndex: 0, offset: BigInt(before) }];
  await withConnection(brokers, (connection) => deleteRecordsV2.api.async(connection, [{ name, partitions }], 10_000));
}

async function addScramUser(brokers: readonly string[], name: string, password: string): Promise<void> {
  const [salt, iterations, sha512] = [randomBytes(16), 4_096, 2];
  const saltedPassword = pbkdf2Sync(password, salt, iterations, 64, 'sha512');
  const user = { name, mechanism: sha512, iterations, salt, saltedPassword };
  await withConnection(brokers, (connection) => alterUserScramCredentialsV0.api.async(connection, [], [user]));
}

async function allowRead(brokers: readonly string[], user: string): Promise<void> {
  const client = new Admin({ clientId: 'test', bootstrapBrokers: [...brokers] });
  const acl = {
    resourceType: 2,
    resourceName: '*',
    resourcePatternType: 3,
    principal: `User:${user}`,
    host: '*',
    permissionType: 3,
  } as const;
  const [read, describeIt] = [3, 8] as const;
  await client.createAcls({
    creations: [
      { ...acl, operation: read },
      { ...acl, operation: describeIt },
    ],
  });
  await client.close();
}

/** One transaction is given up and one is committed. The producer of the package adds partitions as only brokers may. */
async function giveUpTransaction(brokers: readonly string[], topic: string, lost: string, kept: string): Promise<void> {
  const transactionalId = 'test';
  await withConnection(brokers, async (connection) => {
    const transactionKeys = 1;
    await vi.waitFor(() => findCoordinatorV4.api.async(connection, transactionKeys, [transactionalId]), patience);
    for (const value of [lost, kept]) {
      const { producerId, producerEpoch } = await vi.waitFor(
        () => initProducerIdV4.api.async(connection, transactionalId, 10_000, -1n, -1),
        patience,
      );
      await addPartition(connection, topic, { transactionalId, producerId, producerEpoch });
      const messages = [{ topic, partition: 0, value: Buffer.from(value) }];
      await produceV9.api.async(connection, -1, 10_000, messages, { transactionalId, producerId, producerEpoch });
      await endTxnV3.api.async(connection, transactionalId, producerId, producerEpoch, value === kept);
    }
  });
}

type Producing = { readonly transactionalId: string; readonly producerId: bigint; readonly producerEpoch: number };

/** Version 3 of the request, which the package writes as the later ones of brokers. */
function addPartition(connection: Connection, topic: string, producing: Producing): Promise<void> {
  const request = (): Writer =>
    Writer.create()
      .appendString(producing.transactionalId)
      .appendInt64(producing.producerId)
      .appendInt16(producing.producerEpoch)
      .appendArray([topic], (writer, name) =>
        writer.appendString(name).appendArray([0], (each, partition) => each.appendInt32(partition), true, false),
      )
      .appendTaggedFields();
  return new Promise((resolve, reject) => {
    connection.send(
      24,
      3,
      request,
      () => true,
      true,
      true,
      (error) => {
        if (error) reject(error);
        else resolve();
      },
    );
  });
}

function raise(message: string): never {
  throw new Error(message);
}
