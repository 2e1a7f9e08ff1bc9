/** A server on loopback that does what a script says, line by line, with every misdeed a script can think of. */
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { destinationOf } from '../../src/model/endpoint.js';

/** The server's end of one connection. */
export type Peer = {
  /** Writes bytes as they are; line ends are the script's own business. */
  readonly say: (bytes: string | Buffer) => Promise<void>;
  /** Waits for the next line of the client and gives it without its end; ends the script when there is none. */
  readonly hear: () => Promise<string>;
  /** Waits until the client has sent anything at all, and leaves it where it is. */
  readonly stir: () => Promise<void>;
  readonly wait: (ms: number) => Promise<void>;
  /** Continues with TLS; with `requestCert` a client without a certificate is turned away, as its version of TLS does it. */
  readonly secure: (
    options: tls.SecureContextOptions & { readonly requestCert?: boolean | 'asked' },
  ) => Promise<string | false | null>;
  readonly close: () => void;
  readonly reset: () => void;
};

export type Script = (peer: Peer) => Promise<void>;

export type ScriptedServer = {
  readonly port: number;
  readonly destination: string;
  /** Lines heard so far, of all connections. */
  readonly heard: readonly string[];
  readonly connections: () => number;
  readonly close: () => Promise<void>;
};

/** The client has gone: whatever the script had in mind is over. */
class Gone extends Error {}

/** Plays the script on every connection; when it has come to its end the connection stays open and silent. */
export async function playScript(script: Script, address = '127.0.0.1'): Promise<ScriptedServer> {
  const sockets = new Set<net.Socket>();
  const heard: string[] = [];
  let connections = 0;
  const server = net.createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    script(peerOf(socket, heard)).catch((error: unknown) => {
      if (!(error instanceof Gone)) console.error('the script of a server fails:', error);
    });
  });
  server.listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  return {
    port,
    destination: destinationOf({ host: address, port }),
    heard,
    connections: () => connections,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function peerOf(plain: net.Socket, heard: string[]): Peer {
  let socket: net.Socket = plain;
  let buffer = '';
  let gone = false;
  let wake = (): void => undefined;
  const listen = (): void => {
    socket.on('data', (chunk: Buffer) => {
      buffer += chunk.toString('latin1');
      wake();
    });
    const leave = (): void => {
      gone = true;
      wake();
    };
    socket.on('error', leave).on('end', leave).on('close', leave);
  };
  const until = <T>(ready: () => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      wake = () => {
        const value = ready();
        if (value !== undefined) resolve(value);
        else if (gone) reject(new Gone());
      };
      wake();
    });
  listen();
  return {
    async say(bytes) {
      if (gone) throw new Gone();
      await new Promise<void>((resolve) =>
        socket.write(bytes, 'latin1', () => {
          resolve();
        }),
      );
    },
    async hear() {
      const line = await until(() => (buffer.includes('\n') ? buffer.slice(0, buffer.indexOf('\n')) : undefined));
      buffer = buffer.slice(line.length + 1);
      heard.push(line.trim());
      return line.trim();
    },
    async stir() {
      await until(() => (buffer === '' ? undefined : true));
    },
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    async secure({ requestCert = false, ...options }) {
      socket.removeAllListeners('data');
      // What came while the script waited belongs to the handshake.
      plain.pause();
      if (buffer !== '') plain.unshift(Buffer.from(buffer, 'latin1'));
      buffer = '';
      const secureContext = tls.createSecureContext(options);
      const upgraded = new tls.TLSSocket(plain, {
        isServer: true,
        secureContext,
        requestCert: requestCert !== false,
        rejectUnauthorized: requestCert === true,
      });
      socket = upgraded;
      listen();
      let secured = false;
      upgraded.once('secure', () => {
        secured = true;
        wake();
      });
      await until(() => (secured ? true : undefined));
      return upgraded.servername;
    },
    close: () => void socket.end(),
    reset: () => void plain.resetAndDestroy(),
  };
}
