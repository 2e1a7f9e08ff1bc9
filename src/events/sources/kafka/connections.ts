/** Connections to the brokers of one cluster, with TLS and login: each is opened on demand, and reopened when it was lost. */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import {
  apiVersionsV3,
  Connection,
  type Reader,
  saslOAuthBearer,
  type SASLOptions,
  type Writer,
} from '@platformatic/kafka';
import { exporterVersion } from '../../../runtime/version.js';
import { readAnswers } from './answers.js';
import { type Cluster, KafkaProblem } from './client.js';
import { connectionProblem } from './problems.js';

const clientId = 'send-connector-exporter';
const connectMs = 5_000;
const requestMs = 15_000;

export type Address = { readonly host: string; readonly port: number };

/** An open connection. */
export type Line = {
  readonly connection: Connection;
  /** The newest version that the broker knows of each request. */
  readonly versions: ReadonlyMap<number, number>;
  readonly where: string;
  /** Why it was hung up on, where that was us. */
  readonly refusal: () => string | undefined;
};

/** Number and version of a request. */
type Api = { readonly key: number; readonly version: number };

export type Lines = {
  /** @throws KafkaProblem */
  readonly to: (address: Address) => Promise<Line>;
  /** The brokers of the settings first; those that the cluster told of may be there when these are gone. @throws KafkaProblem */
  readonly first: (told: Iterable<Address>) => Promise<Line>;
  /** @throws KafkaProblem; the connection is closed then */
  readonly ask: <Answer>(
    line: Line,
    api: Api,
    request: () => Writer,
    read: (reader: Reader) => Answer,
  ) => Promise<Answer>;
  readonly reconnects: () => number;
  readonly close: () => void;
};

export function createLines(cluster: Cluster): Lines {
  const lines = new Map<string, Promise<Line>>();
  const everConnected = new Set<string>();
  let reconnects = 0;
  let closed = false;
  const forget = (where: string, line: Promise<Line>): void => {
    if (lines.get(where) === line) lines.delete(where);
  };
  const to = (address: Address): Promise<Line> => {
    const where = whereOf(address);
    const known = lines.get(where);
    if (known) return known;
    if (closed) return Promise.reject(new KafkaProblem(`${where}: reading has ended`));
    const opening = open(cluster, address, () => {
      forget(where, opening);
    });
    lines.set(where, opening);
    opening.then(
      ({ connection }) => {
        if (everConnected.has(where)) reconnects++;
        everConnected.add(where);
        if (closed) hangUp(connection);
      },
      () => {
        forget(where, opening);
      },
    );
    return opening;
  };
  return {
    to,
    first: async (told) => {
      let first: unknown;
      for (const address of [...cluster.brokers.map(addressOf), ...told]) {
        try {
          return await to(address);
        } catch (error) {
          first ??= error;
        }
      }
      throw first;
    },
    ask: (line, api, request, read) => askOn(lines, line, api, request, read),
    reconnects: () => reconnects,
    close: () => {
      closed = true;
      for (const line of lines.values())
        line.then(
          ({ connection }) => {
            hangUp(connection);
          },
          () => undefined,
        );
      lines.clear();
    },
  };
}

async function askOn<Answer>(
  lines: Map<string, Promise<Line>>,
  line: Line,
  api: Api,
  request: () => Writer,
  read: (reader: Reader) => Answer,
): Promise<Answer> {
  try {
    return await send(line.connection, api, request, read);
  } catch (error) {
    // After an answer that came too late, the next one would be taken for it.
    const open = lines.get(line.where);
    if (open && (await open.catch(() => undefined)) === line) lines.delete(line.where);
    hangUp(line.connection);
    throw new KafkaProblem(line.refusal() ?? connectionProblem(line.where, error), { cause: error });
  }
}

function hangUp(connection: Connection): void {
  void connection.close().catch(() => undefined);
}

function addressOf(broker: string): Address {
  const at = broker.lastIndexOf(':');
  return { host: broker.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(broker.slice(at + 1)) };
}

function whereOf({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

async function open({ tls, sasl }: Cluster, address: Address, gone: () => void): Promise<Line> {
  const where = whereOf(address);
  const { host, port } = address;
  const connection = new Connection(clientId, {
    connectTimeout: connectMs,
    requestTimeout: requestMs,
    ...(tls && { tls: await tlsOptions(tls), ...(isIP(host) === 0 && { tlsServerName: host }) }),
    ...(sasl && { sasl: loginOptions(sasl) }),
  });
  // Without a listener an error would end the process.
  connection.on('error', gone);
  connection.on('close', gone);
  let refusal: (() => string | undefined) | undefined;
  try {
    await connection.connect(host, port);
    const told = (refusal = readAnswers(connection, where));
    const api = { key: 18, version: 3 };
    const request = (): Writer => apiVersionsV3.createRequest(clientId, exporterVersion());
    const { apiKeys } = await send(
      connection,
      api,
      request,
      (reader) => apiVersionsV3.parseResponse(0, 18, 3, reader),
      false,
    );
    const versions = new Map(apiKeys.map(({ apiKey, maxVersion }) => [apiKey, maxVersion]));
    return { connection, where, refusal: told, versions };
  } catch (error) {
    hangUp(connection);
    if (error instanceof KafkaProblem) throw error;
    throw new KafkaProblem(refusal?.() ?? connectionProblem(where, error), { cause: error });
  }
}

function send<Answer>(
  connection: Connection,
  { key, version }: Api,
  request: () => Writer,
  read: (reader: Reader) => Answer,
  hasTags = true,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const parse = (_correlation: number, _key: number, _version: number, reader: Reader): Answer => read(reader);
    const isFlexible = !(key === 2 && version < 6);
    connection.send<Answer>(key, version, request, parse, isFlexible, isFlexible && hasTags, (error, answer) => {
      if (error) reject(error);
      else resolve(answer as Answer);
    });
  });
}

async function tlsOptions({ ca, cert, key }: NonNullable<Cluster['tls']>): Promise<TlsOptions> {
  return {
    ...(ca !== undefined && { ca: await readSetting('tls.ca', ca) }),
    ...(cert !== undefined && { cert: await readSetting('tls.cert', cert) }),
    ...(key !== undefined && { key: await readSetting('tls.key', key) }),
    minVersion: 'TLSv1.2',
  };
}

async function readSetting(setting: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const why = (error as Error).message;
    throw new KafkaProblem(`${setting}: ${file} cannot be read (${why}); correct the path or its rights`, {
      cause: error,
    });
  }
}

function loginOptions({ mechanism, username, passwordFile, tokenFile }: NonNullable<Cluster['sasl']>): SASLOptions {
  const secretIn = (setting: string, file = ''): (() => Promise<string>) => {
    return async () => (await readSetting(setting, file)).replace(/\r?\n$/, '');
  };
  if (mechanism === 'oauthbearer')
    return {
      mechanism: 'OAUTHBEARER',
      token: async () => (await secretIn('sasl.tokenFile', tokenFile)()).trim(),
      authBytesValidator: saslOAuthBearer.jwtValidateAuthenticationBytes,
    };
  const upper = mechanism.toUpperCase() as 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  return { mechanism: upper, username: username ?? '', password: secretIn('sasl.passwordFile', passwordFile) };
}
