/** SMTP servers on loopback, one for each way in which a mail server can fail, for the demo and the tests. */
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { createAuthority, selfSigned, type Authority, type Certificate } from './certificates.js';

export type SmtpServer = {
  readonly address: string;
  readonly port: number;
  /** `127.0.0.1:2525` or `[::1]:2525`. */
  readonly destination: string;
  /** Connections accepted so far. */
  readonly connections: () => number;
  /** Commands received so far, of all connections. */
  readonly commands: () => readonly string[];
  readonly close: () => Promise<void>;
};

export type ListenOptions = {
  /** @default 127.0.0.1 */
  readonly address?: string;
  /** @default 0: any free port */
  readonly port?: number;
};

/** Where a conversation can break off. */
export type ClosingStep = 'tcp' | 'banner' | 'ehlo' | 'starttls' | 'tls' | 'quit';

/** The authority that vouches for the servers below; trust its `cert` to believe them. */
export const demoAuthority: () => Authority = lazily(() => createAuthority('Demo Authority'));

const goodNames = ['mail.contoso.example', 'localhost'];
const goodCertificate = lazily(() => demoAuthority().issue(goodNames));

/** Greets, offers STARTTLS, and shows a certificate of the authority, or the one it is given. */
export function healthy(
  options: ListenOptions & { readonly names?: readonly string[]; readonly certificate?: Certificate } = {},
): Promise<SmtpServer> {
  const { names, certificate = names ? demoAuthority().issue(names) : goodCertificate() } = options;
  return serve(options, { certificate });
}

/** A port that nobody listens on: it was bound, then given back. */
export async function refusing(options: ListenOptions = {}): Promise<SmtpServer> {
  const server = await serve(options, {});
  await server.close();
  return server;
}

/** Accepts and says nothing, ever. */
export function silent(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { banner: undefined });
}

/** Greets after a while, as many do to try the patience of spammers. */
export function slowBanner(bannerAfterMs: number, options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { certificate: goodCertificate(), bannerAfterMs });
}

/** Sends its greeting one byte at a time and does not come to an end. */
export function tarpit(everyMs: number, options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { banner: undefined, drip: { pieces: Array.from('220-please wait\r\n'), everyMs } });
}

/** Wants nothing to do with us. */
export function rude(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { banner: '554 5.7.1 mail.contoso.example: your address is on our list' });
}

/** Not now. */
export function greylisting(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { banner: '450 4.7.1 mail.contoso.example: come back in five minutes' });
}

/** Another protocol on the port. */
export function notSmtp(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { banner: 'SSH-2.0-OpenSSH_9.6' });
}

/** Hangs up instead of answering at this step. */
export function closesAt(closeAt: ClosingStep, options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { certificate: goodCertificate(), closeAt });
}

/** Falls silent instead of answering at this step, and keeps the connection. */
export function stallsAt(stallAt: ClosingStep, options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { certificate: goodCertificate(), stallAt });
}

/** Tears the connection down instead of greeting. */
export function resets(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { reset: true });
}

/** Clear text only. */
export function withoutStartTls(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, {});
}

/** Offers STARTTLS and then has no certificate to show for it. */
export function rejectsStartTls(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { certificate: goodCertificate(), startTlsReply: '454 4.7.0 TLS not available' });
}

export function expiredCertificate(options: ListenOptions = {}): Promise<SmtpServer> {
  const validity = { from: daysFromNow(-100), to: daysFromNow(-10) };
  return serve(options, { certificate: demoAuthority().issue(goodNames, validity) });
}

export function notYetValid(options: ListenOptions = {}): Promise<SmtpServer> {
  const validity = { from: daysFromNow(10), to: daysFromNow(100) };
  return serve(options, { certificate: demoAuthority().issue(goodNames, validity) });
}

export function selfSignedCertificate(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { certificate: selfSigned(goodNames) });
}

export function wrongName(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { certificate: demoAuthority().issue(['mail.fabrikam.example']) });
}

/** TLS 1.0 and 1.1 only, as an appliance that nobody has looked at for years. */
export function oldTls(options: ListenOptions = {}): Promise<SmtpServer> {
  const tlsOptions: tls.SecureContextOptions = {
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  };
  return serve(options, { certificate: goodCertificate(), tlsOptions });
}

/** A greeting without an end of line and without an end. */
export function endlessLine(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { banner: undefined, drip: { pieces: ['220 '.padEnd(1024, 'x')], everyMs: 1 } });
}

/** A greeting of many lines that never comes to its last one. */
export function endlessBanner(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { banner: undefined, drip: { pieces: ['220-please wait\r\n'.repeat(20)], everyMs: 1 } });
}

/** Greets in several lines. */
export function wordyBanner(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, {
    certificate: goodCertificate(),
    banner: '220-mail.contoso.example\r\n220-no spam\r\n220 ready',
  });
}

/** Greets and hangs up its half of the connection, but goes on listening. */
export function halfOpen(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { hangsUpAfterBanner: true });
}

/** Not now, and hangs up: the code that announces it. */
export function tooBusy(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { ehloReply: '421 4.3.2 too many connections' });
}

/** Asks for a certificate of the client. */
export function wantsClientCertificate(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { certificate: goodCertificate(), requestCert: true });
}

/** TLS 1.2 and no newer. */
export function tls12(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { certificate: goodCertificate(), tlsOptions: { maxVersion: 'TLSv1.2' } });
}

/** Bytes that are no text in any encoding, under the right code. */
export function garbage(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { banner: '220 \xff\xfe\x00\x1b[31m\x80\x9d gr\xfc\xdfe' });
}

/** Speaks on in clear text after it agreed to TLS, as an attacker in between would. */
export function injectsAfterStartTls(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { certificate: goodCertificate(), startTlsReply: '220 2.0.0 Ready\r\n250 injected' });
}

/** Likes neither EHLO nor HELO. */
export function rejectsEhlo(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { ehloReply: '550 5.7.1 who are you?', heloReply: '550 5.7.1 who are you?' });
}

/** Does not let go. */
export function rejectsQuit(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { quitReply: '502 5.5.1 stay' });
}

/** Knows the SMTP of 1982 only. */
export function heloOnly(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { ehloReply: '502 5.5.1 command not implemented' });
}

/** What a server does; the defaults make a good server without TLS. */
type Behaviour = {
  /** Undefined: says nothing. @default 220 */
  readonly banner?: string | undefined;
  readonly bannerAfterMs?: number;
  /** Sent piece by piece, over and over. */
  readonly drip?: Drip;
  readonly ehloReply?: string;
  readonly heloReply?: string;
  readonly startTlsReply?: string;
  /** Given instead of hanging up. */
  readonly quitReply?: string;
  /** Offers STARTTLS with this certificate. */
  readonly certificate?: Certificate;
  readonly tlsOptions?: tls.SecureContextOptions;
  readonly closeAt?: ClosingStep;
  readonly stallAt?: ClosingStep;
  readonly reset?: boolean;
  readonly hangsUpAfterBanner?: boolean;
  readonly requestCert?: boolean;
};

type Drip = { readonly pieces: readonly string[]; readonly everyMs: number };

type Core = {
  readonly behaviour: Behaviour;
  readonly secureContext: tls.SecureContext | undefined;
  readonly commands: string[];
};

async function serve(options: ListenOptions, behaviour: Behaviour): Promise<SmtpServer> {
  const { certificate, tlsOptions } = behaviour;
  const secureContext = certificate && tls.createSecureContext({ ...certificate, ...tlsOptions });
  const core: Core = { behaviour, secureContext, commands: [] };
  const sockets = new Set<net.Socket>();
  let connections = 0;
  const server = net.createServer({ allowHalfOpen: behaviour.hangsUpAfterBanner === true }, (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', ignore);
    greet(core, socket);
  });
  const address = options.address ?? '127.0.0.1';
  server.listen(options.port ?? 0, address);
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  return {
    address,
    port,
    destination: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
    connections: () => connections,
    commands: () => core.commands,
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function greet(core: Core, socket: net.Socket): void {
  const { behaviour } = core;
  if (behaviour.reset) setTimeout(() => socket.resetAndDestroy(), 20);
  else if (behaviour.closeAt === 'tcp' || behaviour.closeAt === 'banner') socket.end();
  else if (behaviour.drip) drip(socket, behaviour.drip);
  else {
    const banner = 'banner' in behaviour ? behaviour.banner : '220 mail.contoso.example ESMTP ready';
    const timer = setTimeout(() => {
      if (banner !== undefined) socket.write(`${banner}\r\n`, 'latin1');
      if (behaviour.hangsUpAfterBanner) socket.end();
    }, behaviour.bannerAfterMs ?? 0);
    socket.on('close', () => {
      clearTimeout(timer);
    });
    answer(core, socket);
  }
}

function drip(socket: net.Socket, { pieces, everyMs }: Drip): void {
  let at = 0;
  const timer = setInterval(() => {
    socket.write(pieces[at % pieces.length] ?? '');
    at += 1;
  }, everyMs);
  socket.on('close', () => {
    clearInterval(timer);
  });
  socket.resume();
}

/** Reads commands line by line; nothing is expected of a client here but good manners. */
function answer(core: Core, socket: net.Socket): void {
  let buffer = '';
  socket.on('data', (chunk: Buffer) => {
    buffer += chunk.toString('latin1');
    for (let end = buffer.indexOf('\n'); end !== -1; end = buffer.indexOf('\n')) {
      const line = buffer.slice(0, end).trim();
      buffer = buffer.slice(end + 1);
      core.commands.push(line);
      obey(core, socket, line.split(' ')[0]?.toUpperCase() ?? '');
    }
  });
}

function obey(core: Core, socket: net.Socket, verb: string): void {
  const { behaviour, secureContext } = core;
  if (verb === closingVerbs[behaviour.closeAt ?? 'tcp']) {
    socket.end();
  } else if (verb === closingVerbs[behaviour.stallAt ?? 'tcp']) {
    socket.pause();
  } else if (verb === 'EHLO') {
    const offer = secureContext && !(socket instanceof tls.TLSSocket) ? '250-STARTTLS\r\n' : '';
    socket.write(
      `${behaviour.ehloReply ?? `250-mail.contoso.example\r\n250-PIPELINING\r\n${offer}250 SIZE 10485760`}\r\n`,
    );
  } else if (verb === 'HELO') {
    socket.write(`${behaviour.heloReply ?? '250 mail.contoso.example'}\r\n`);
  } else if (verb === 'STARTTLS' && secureContext) {
    startTls(core, socket, secureContext);
  } else if (verb === 'QUIT') {
    if (behaviour.quitReply) socket.write(`${behaviour.quitReply}\r\n`);
    else socket.end('221 2.0.0 bye\r\n');
  } else {
    socket.write('502 5.5.1 not here\r\n');
  }
}

const closingVerbs: Readonly<Record<ClosingStep, string | undefined>> = {
  tcp: undefined,
  banner: undefined,
  ehlo: 'EHLO',
  starttls: 'STARTTLS',
  tls: undefined,
  quit: 'QUIT',
};

function startTls(core: Core, socket: net.Socket, secureContext: tls.SecureContext): void {
  const { startTlsReply, closeAt, stallAt, requestCert = false } = core.behaviour;
  socket.write(`${startTlsReply ?? '220 2.0.0 ready to start TLS'}\r\n`);
  if (startTlsReply?.startsWith('4')) return;
  socket.removeAllListeners('data');
  if (closeAt === 'tls') {
    socket.once('data', () => socket.end());
    return;
  }
  if (stallAt === 'tls') return;
  const secured = new tls.TLSSocket(socket, { isServer: true, secureContext, requestCert, rejectUnauthorized: false });
  secured.on('error', ignore);
  if (requestCert) {
    secured.once('secure', () => {
      core.commands.push(secured.getPeerX509Certificate() ? 'CLIENT CERTIFICATE' : 'NO CLIENT CERTIFICATE');
    });
  }
  answer(core, secured);
}

function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * 86_400_000);
}

/** What a client does to its connection is its own business. */
function ignore(): void {
  // Nothing to do: the socket closes itself.
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
