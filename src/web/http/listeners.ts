/** The sockets that are listened on: plain or TLS, bounded, and changed over while they run. */
import type { RequestListener, Server } from 'node:http';
import { Socket, type AddressInfo } from 'node:net';
import type { Server as SecureServer } from 'node:https';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import ipaddr from 'ipaddr.js';
import type { TlsSettings, WebConfig } from '../../config/web-config.js';
import { destinationOf } from '../../model/endpoint.js';
import { handshakeFailureOf, type HandshakeFailure, type Handshakes, isClearText } from '../../model/handshakes.js';
import { createLimitedServer } from './security.js';

/** Without a host on all addresses; port 0 takes any free port. */
export type ListenAt = { readonly host?: string | undefined; readonly port: number };

export type Listeners = {
  /** Where it listens, as URLs, in the order asked for. */
  readonly addresses: () => readonly string[];
  /** Takes new certificates over at once; connections that are open stay. */
  readonly use: (config: WebConfig) => Promise<void>;
  /** Ends after answers under way are sent, at the latest after a second and a half. */
  readonly close: () => Promise<void>;
};

/** Whoever ends the exporter gives it 2.5 seconds in all. */
const answersMs = 1_500;

type Listener = { readonly at: ListenAt; open: Open };

/** A server that is listening. What it is bound to stays known while it closes, when the server itself says nothing any more. */
type Open = {
  readonly server: Server | SecureServer;
  readonly bound: AddressInfo;
  /** Connections, those of TLS before their handshake too, of which the server knows nothing. */
  readonly sockets: ReadonlySet<Socket>;
};

/**
 * Listens on every address.
 * @param enter called with each connection; it drops those that have no place
 * @param handshakes told of those that fail
 * @throws when one cannot be listened on; then nothing is left open
 */
export async function listenOn(
  all: readonly ListenAt[],
  config: WebConfig,
  listener: RequestListener,
  enter: (socket: Socket) => void,
  handshakes: Handshakes,
): Promise<Listeners> {
  let tls = config.tls;
  const open = async (at: ListenAt): Promise<Open> => {
    const server = createLimitedServer(listener, tls && serverOptions(tls));
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    server.on('connection', enter);
    if (tls) guardHandshakes(server as SecureServer, () => tls, handshakes);
    await listening(server, at);
    return { server, bound: server.address() as AddressInfo, sockets };
  };
  const opened: Listener[] = [];
  try {
    for (const at of all) opened.push({ at, open: await open(at) });
  } catch (error) {
    await Promise.all(opened.map(({ open }) => closed(open)));
    throw error;
  }
  return {
    addresses: () => opened.map(({ open: { bound } }) => urlOf(bound, tls !== undefined)),
    use: async ({ tls: wanted }) => {
      const isSameKind = wanted !== undefined && tls?.clientAuth === wanted.clientAuth;
      const before = tls;
      tls = wanted;
      if (isSameKind) for (const { open } of opened) (open.server as SecureServer).setSecureContext(wanted.context);
      else if (before !== wanted) for (const each of opened) await reopen(each, open);
    },
    close: async () => {
      await Promise.all(opened.map(({ open }) => closed(open)));
    },
  };
}

/** On the same port: asked for again at once, so that between the two there is no time to be refused in. */
async function reopen(listener: Listener, open: (at: ListenAt) => Promise<Open>): Promise<void> {
  const { port } = listener.open.bound;
  void closed(listener.open);
  listener.open = await open({ ...listener.at, port });
}

// -------------------------------------------------------------------------------------------------- client certificates

function serverOptions({ context, clientAuth }: TlsSettings): object {
  return {
    ...context,
    requestCert: clientAuth !== 'NoClientCert',
    rejectUnauthorized: clientAuth === 'RequireAndVerifyClientCert',
    handshakeTimeout: 10_000,
  };
}

/** Drops a connection whose client certificate does not do before the first byte of a request is read. */
function guardHandshakes(server: SecureServer, settings: () => TlsSettings | undefined, handshakes: Handshakes): void {
  handshakes.expected();
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const wanted = settings();
    const failure = wanted && refusalOfClient(socket, wanted);
    if (failure === undefined) return;
    handshakes.refused(failure, clientOf(socket));
    socket.destroy();
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: Wrapped) => {
    const { authorizationError } = socket;
    handshakes.failed({ error, authorizationError }, clientOf(socket));
    answerPlainHttp(error, socket);
  });
}

/** The connection below stands in a member that is not documented. */
type Wrapped = TLSSocket & { readonly _parent?: unknown };

/** Of a connection that has ended the one below still knows it. */
function clientOf(socket: Wrapped): string | undefined {
  const { _parent: below } = socket;
  return socket.remoteAddress ?? (below instanceof Socket ? below.remoteAddress : undefined);
}

/** @returns undefined for a client that may enter */
function refusalOfClient(
  socket: TLSSocket,
  { clientAuth, clientAllowedSans }: TlsSettings,
): HandshakeFailure | undefined {
  if (clientAuth === 'NoClientCert' || clientAuth === 'RequestClientCert') return undefined;
  const certificate: Partial<PeerCertificate> = socket.getPeerCertificate();
  if (certificate.raw === undefined)
    return clientAuth === 'VerifyClientCertIfGiven' ? undefined : 'no_client_certificate';
  const { authorized, authorizationError } = socket;
  if (clientAuth.includes('Verify') && !authorized) return handshakeFailureOf({ authorizationError });
  if (clientAllowedSans === undefined || namesOf(certificate).some((name) => clientAllowedSans.includes(name)))
    return undefined;
  return 'name_not_allowed';
}

/** `DNS:a.example, IP Address:192.0.2.1` as names; one that node had to quote is none, for it may hold a forged separator. */
function namesOf({ subjectaltname = '' }: Partial<PeerCertificate>): string[] {
  return subjectaltname.split(', ').flatMap((entry) => {
    const [, kind, name = ''] = /^(DNS|IP Address|email|URI):([^"]+)$/.exec(entry) ?? [];
    if (kind === undefined) return [];
    // OpenSSL writes all zeros of an IPv6 address, Go and people do not.
    return kind === 'IP Address' && ipaddr.isValid(name) ? ipaddr.parse(name).toString() : name;
  });
}

// -------------------------------------------------------------------------------------------------------- plain HTTP

const speaksHttps = 'This port speaks HTTPS: write https:// in the address (in Prometheus, scheme: https).\n';
const plainAnswer = [
  'HTTP/1.1 400 Bad Request',
  'Content-Type: text/plain; charset=utf-8',
  `Content-Length: ${speaksHttps.length}`,
  'Connection: close',
  '',
  speaksHttps,
].join('\r\n');

/**
 * Whoever sends a request without TLS is told so, in the clear. The answer goes out at once, into the connection below,
 * which Node closes next; it waits for nobody.
 */
function answerPlainHttp({ code }: NodeJS.ErrnoException, { _parent: below }: Wrapped): void {
  if (isClearText(code) && below instanceof Socket && below.writable) below.end(plainAnswer);
}

// --------------------------------------------------------------------------------------------------------- listening

function listening(server: Server, at: ListenAt): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new Error(refusalOf(error, at), { cause: error }));
    });
    server.listen(at.port, at.host, resolve);
  });
}

function refusalOf(error: NodeJS.ErrnoException, at: ListenAt): string {
  const where = destinationOf({ host: at.host ?? '*', port: at.port });
  const because: Record<string, string> = {
    EADDRINUSE: 'another program listens there already; stop it or choose another port',
    EACCES:
      process.platform === 'win32'
        ? 'Windows keeps that port for another program; choose one outside its ranges (netsh int ipv4 show excludedportrange protocol=tcp)'
        : 'this account may not use that port; choose one above 1023 or allow it',
    EADDRNOTAVAIL: 'this host has no such address',
    ENOTFOUND: 'that name has no address',
  };
  return `cannot listen on ${where}: ${because[error.code ?? ''] ?? error.message} (--web.listen-address)`;
}

function urlOf({ address, port }: AddressInfo, isSecure: boolean): string {
  const host = address === '::' || address === '0.0.0.0' ? 'localhost' : address;
  return `${isSecure ? 'https' : 'http'}://${destinationOf({ host, port })}`;
}

function closed({ server, sockets }: Open): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, answersMs);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
    server.closeIdleConnections();
  });
}
