/** The socket for Lumberjack senders: plain on loopback, or TLS with client certificates. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import {
  createServer as createSecureServer,
  type SecureContextOptions,
  type Server as SecureServer,
  type TLSSocket,
} from 'node:tls';
import { createHandshakes, type HandshakeCounts, type Handshakes } from '../../../model/handshakes.js';
import type { Log } from '../../../runtime/log.js';
import { readPlainFile } from '../../../runtime/plain-file.js';
import { watchFiles } from '../../../runtime/watch-files.js';
import type { LumberjackPart } from './part.js';

export type Listener = {
  readonly address: () => string;
  readonly problem: () => string | undefined;
  /** TLS handshakes that failed; undefined without TLS. */
  readonly handshakes: () => HandshakeCounts | undefined;
  /** Nobody comes in any more. */
  readonly close: () => void;
};

/** Senders at once; each holds no more than what it is sending. */
const mostConnections = 1_024;

/** @throws when the address or the files are not to be had, with the remedy */
export async function listen(part: LumberjackPart, log: Log, welcome: (socket: Socket) => void): Promise<Listener> {
  const { tls, listenAddress, name: source } = part;
  // Whoever has sent all that it has, or is read no further, is still acknowledged; the connection is ended after that.
  const letIn = (socket: Socket): void => {
    socket.allowHalfOpen = true;
    welcome(socket);
  };
  // Before the handshake nobody has anything to wait for: whoever leaves then is let go at once.
  const server = tls
    ? createSecureServer({ ...(await contextOf(tls)), ...requests(tls), allowHalfOpen: false }, letIn)
    : createServer({ allowHalfOpen: true }, welcome);
  server.maxConnections = mostConnections;
  const handshakes = createHandshakes(source, log);
  if (tls) countFailures(server as SecureServer, handshakes);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listenAddress.port, listenAddress.host, resolve);
  });
  server.on('error', (error: Error) => {
    log.error('a sender could not be accepted', { source, problem: error.message });
  });
  let problem: string | undefined;
  const watch = watchFiles(
    () => (tls ? filesOf(tls) : []),
    async () => {
      try {
        if (tls) (server as SecureServer).setSecureContext(await contextOf(tls));
        problem = undefined;
        log.info('the certificates were read again', { source });
      } catch (error) {
        problem = (error as Error).message;
        log.error('the certificates cannot be read; the last good ones stay in force', { source, problem });
      }
    },
  );
  return {
    address: () => addressOf(server),
    problem: () => problem,
    handshakes: handshakes.counts,
    close: () => {
      watch.close();
      server.close();
    },
  };
}

function countFailures(server: SecureServer, handshakes: Handshakes): void {
  handshakes.expected();
  // By the time a handshake has failed the connection may be closed: whose it was is asked while it begins.
  const clients = new WeakMap<object, string | undefined>();
  server.on('connection', (socket: Socket) => clients.set(socket, socket.remoteAddress));
  server.on('tlsClientError', (error: Error, socket: TLSSocket & { readonly _parent?: Socket }) => {
    const { authorizationError, _parent: below } = socket;
    const client = socket.remoteAddress ?? (below && clients.get(below));
    handshakes.failed({ error, authorizationError }, client);
    // Half open, it would wait for an end of ours for good.
    socket.destroy();
    below?.destroy();
  });
}

function addressOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function requests({ clientCa }: NonNullable<LumberjackPart['tls']>) {
  const isAsked = clientCa !== undefined;
  return { requestCert: isAsked, rejectUnauthorized: isAsked, handshakeTimeout: 10_000 };
}

function filesOf({ cert, key, clientCa }: NonNullable<LumberjackPart['tls']>): string[] {
  return [cert, key, ...(clientCa === undefined ? [] : [clientCa])];
}

/** @throws when a file cannot be read */
async function contextOf({ cert, key, clientCa }: NonNullable<LumberjackPart['tls']>): Promise<SecureContextOptions> {
  const read = async (what: string, file: string): Promise<Buffer> =>
    readPlainFile(file).catch((error: unknown) => {
      throw new Error(`tls.${what}: expected a readable file, got ${(error as Error).message}`, { cause: error });
    });
  return {
    cert: await read('cert', cert),
    key: await read('key', key),
    ...(clientCa !== undefined && { ca: await read('clientCa', clientCa) }),
    minVersion: 'TLSv1.2',
  };
}
