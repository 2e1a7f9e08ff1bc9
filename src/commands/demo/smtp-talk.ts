/** How a server of the demo talks: the behaviour that is given to it decides each reply. */
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { type Authority, type Certificate, createAuthority } from './certificates.js';

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

export const goodNames = ['mail.contoso.example', 'localhost'];

export const goodCertificate = lazily(() => demoAuthority().issue(goodNames));

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

export async function serve(options: ListenOptions, behaviour: Behaviour): Promise<SmtpServer> {
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

/** What a client does to its connection is its own business. */
function ignore(): void {
  // Nothing to do: the socket closes itself.
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
