/** Connections that end early, speak the wrong protocol, come in crowds or say nothing: real sockets to the real server. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createHandshakes } from '../../src/model/handshakes.js';
import { pageOf } from '../../src/metrics/page.js';
import { listenOn } from '../../src/web/http/listeners.js';
import { createPlaces, type Places } from '../../src/web/http/places.js';
import { keepingLog, silentLog } from '../support/log-double.js';
import { ask, authority, secured, tls } from './secured.js';
import { runningWeb } from './servers.js';

type Told = { readonly text: string; readonly error: string | undefined };

/** All that comes until the end; `ended` sockets half-close after what they write. */
async function told(socket: Socket): Promise<Told> {
  let error: string | undefined;
  const parts: Buffer[] = [];
  socket.on('data', (part) => parts.push(part));
  socket.on('error', ({ message }) => (error = message));
  socket.on('end', () => socket.end());
  await once(socket, 'close').catch(() => undefined);
  return { text: Buffer.concat(parts).toString(), error };
}

function plain(port: number, localAddress = '127.0.0.1'): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  return socket.on('error', () => undefined);
}

function encrypted(port: number): Socket {
  const options = { port, host: '127.0.0.1', servername: 'localhost', ca: authority.cert, allowHalfOpen: true };
  const socket = connectTls(options);
  onTestFinished(() => void socket.destroy());
  return socket;
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

/** A page that no buffer of a connection holds. */
const lines = 160_000;
const tenMegabytes = pageOf(['# HELP up Up.\n', `${'x'.repeat(63)}\n`.repeat(lines)]);

async function serving(yaml: string): Promise<{ port: number; reads: () => number }> {
  let reads = 0;
  const render = () => Promise.resolve({ page: tenMegabytes, wasRead: () => (reads += 1) });
  const { port } = await secured(yaml, undefined, { metrics: { contentType: 'text/plain', render } });
  return { port, reads: () => reads };
}

describe.each([
  { over: 'plain HTTP', yaml: '', open: plain },
  { over: 'TLS', yaml: tls, open: encrypted },
])('2.5 a client that ends its side after its request, over $over', ({ yaml, open }) => {
  test('gets its whole page', async () => {
    const { port } = await secured(yaml);
    const socket = open(port);
    socket.end(get('/'));
    const { text, error } = await told(socket);
    expect(error).toBeUndefined();
    expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(text).toContain('</html>');
  });

  test('gets all of 10 MB, however slowly it reads, and counts as a scraper', async () => {
    const { port, reads } = await serving(yaml);
    const socket = open(port);
    socket.end(get('/metrics'));
    let rests = 30;
    socket.on('data', () => {
      if (rests-- <= 0) return;
      socket.pause();
      setTimeout(() => socket.resume(), 20);
    });
    const { text, error } = await told(socket);
    expect(error).toBeUndefined();
    expect(text.match(/x{63}\n/g)).toHaveLength(lines);
    await vi.waitFor(() => {
      expect(reads()).toBe(1);
    });
  }, 60_000);

  test('and is gone: that is no scrape', async () => {
    const { port, reads } = await serving(yaml);
    for (let turn = 0; turn < 3; turn++) {
      const socket = open(port);
      await once(socket, yaml === '' ? 'connect' : 'secureConnect');
      socket.write(get('/metrics'), () => {
        socket.destroy();
      });
      await once(socket, 'close');
    }
    // The server lives, and has let go of them when this one has read.
    const last = open(port);
    last.end(get('/metrics'));
    await told(last);
    await vi.waitFor(() => {
      expect(reads()).toBe(1);
    });
  }, 60_000);
});

test('2.5 a small page is no scrape either when the client ends its side and is gone', async () => {
  let reads = 0;
  const answered = vi.fn();
  const web = await runningWeb(
    {},
    {
      metrics: {
        contentType: 'text/plain',
        render: () => {
          answered();
          return Promise.resolve({ page: pageOf(['up 1\n']), wasRead: () => (reads += 1) });
        },
      },
    },
  );
  onTestFinished(() => web.close());
  const port = Number(new URL(web.url).port);
  const gone = plain(port);
  gone.write(get('/metrics'), () => {
    gone.destroy();
  });
  await vi.waitFor(() => {
    expect(answered).toHaveBeenCalledTimes(1);
  });
  const reader = plain(port);
  reader.end(get('/metrics'));
  expect((await told(reader)).text).toContain('up 1\n');
  await vi.waitFor(() => {
    expect(reads).toBe(1);
  });
});

describe('2.5 plain HTTP on a port of TLS', () => {
  const request = (line: string): string => `${line}\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}`;
  test.each([
    ...['GET', 'HEAD', 'POST', 'PUT', 'CONNECT', 'OPTIONS', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'x'].map(
      (method) => `${method} /metrics HTTP/1.1`,
    ),
    'get / http/1.1',
    'Get /metrics HTTP/1.0',
    '\r\nGET /metrics HTTP/1.1',
    '\n\nGET /metrics HTTP/1.1',
    ' GET /metrics HTTP/1.1',
  ])('%j is answered 400 with a sentence', async (line) => {
    const { port } = await secured(tls);
    const socket = plain(port);
    socket.write(request(line));
    const { text } = await told(socket);
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(text).toMatch(/\r\n\r\nThis port speaks HTTPS: write https:\/\/ in the address/);
    // Those who speak TLS are served on.
    expect(await ask(port)).toBe(200);
  });

  test('what is neither, and whoever asks without TLS, is dropped and gives its place back', async () => {
    const { port } = await secured(tls);
    for (let turn = 0; turn < 300; turn++) {
      const socket = plain(port);
      socket.write(turn % 2 === 0 ? 'EHLO x\r\n' : get('/'));
      await told(socket);
    }
    expect(await ask(port)).toBe(200);
  }, 30_000);
});

describe('2.5 places', () => {
  /** Connections that stay. @returns how many were let in */
  function crowd(places: Places, addresses: readonly string[], each: number): number {
    let dropped = 0;
    for (const remoteAddress of addresses)
      for (let turn = 0; turn < each; turn++) {
        const socket = { remoteAddress, destroy: () => (dropped += 1), once: () => undefined };
        places.enter(socket as unknown as Socket);
      }
    return addresses.length * each - dropped;
  }
  const network = (count: number, of: (each: number) => string): string[] =>
    Array.from({ length: count }, (_, each) => of(each));

  test('a /24 of IPv4 and a /64 of IPv6 share what one address may hold', () => {
    const places = createPlaces({ now: () => 0, log: silentLog });
    expect(
      crowd(
        places,
        network(200, (each) => `::ffff:192.0.2.${each}`),
        5,
      ),
    ).toBe(256);
    expect(
      crowd(
        places,
        network(200, (each) => `2001:db8:0:1::${each}`),
        5,
      ),
    ).toBe(256);
    expect(crowd(places, ['192.0.3.1', '2001:db8:0:2::1'], 1)).toBe(2);
  });

  test('ten networks cannot take all places', () => {
    const places = createPlaces({ now: () => 0, log: silentLog });
    crowd(
      places,
      network(10, (each) => `198.51.${each}.7`),
      300,
    );
    expect(
      crowd(
        places,
        network(20, (each) => `203.0.${each}.7`),
        4,
      ),
    ).toBe(80);
  });

  test('who scrapes keeps places in any crowd, and strangers that scrape do not push it out', () => {
    let now = 0;
    const log = keepingLog();
    const places = createPlaces({ now: () => now, log });
    places.hasScraped('192.0.2.1');
    for (let each = 0; each < 100; each++) places.hasScraped(`198.51.100.${each}`);
    crowd(
      places,
      network(3000, (each) => `10.${each >> 8}.${each & 255}.7`),
      1,
    );
    expect(crowd(places, ['203.0.113.7'], 1)).toBe(0);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(crowd(places, ['192.0.2.1'], 20)).toBe(16);
    // A quarter of an hour after its last scrape the place is another's.
    now = 16 * 60_000;
    places.hasScraped('203.0.113.7');
    expect(crowd(places, ['203.0.113.7'], 1)).toBe(1);
  });
});

test('2.5 a network that holds all that it may is let in once more to scrape, after it has scraped', async () => {
  const { port } = await secured('');
  const before = plain(port);
  before.end(get('/metrics'));
  expect((await told(before)).text).toContain('up 1');
  await Promise.all(Array.from({ length: 300 }, () => once(plain(port, '127.0.0.9'), 'connect')));
  const stranger = plain(port, '127.0.0.8');
  stranger.write(get('/metrics'));
  expect((await told(stranger)).text).toBe('');
  const other = plain(port, '127.0.1.8');
  other.end(get('/metrics'));
  expect((await told(other)).text).toContain('up 1');
  const scraper = plain(port, '127.0.0.1');
  scraper.end(get('/metrics'));
  expect((await told(scraper)).text).toContain('up 1');
});

test('2.5 whoever says nothing, shakes no hands, or sends headers by the byte is let go in bounded time', async () => {
  const [{ web, port }, safe] = [await secured(''), await secured(tls)];
  const [silent, unshaken] = [plain(port, '127.0.1.1'), plain(safe.port, '127.0.1.1')];
  const dribbling = plain(port, '127.0.2.1');
  dribbling.write('GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ');
  const drip = setInterval(() => dribbling.writable && dribbling.write('x'), 100);
  onTestFinished(() => {
    clearInterval(drip);
  });
  const [toSilent, toDribbling, toUnshaken] = await Promise.all([told(silent), told(dribbling), told(unshaken)]);
  expect(toSilent.text).toMatch(/^HTTP\/1\.1 408 /);
  expect(toDribbling.text).toMatch(/^HTTP\/1\.1 408 /);
  expect(toUnshaken.text).toBe('');
  expect((await fetch(new URL('/metrics', web.url))).status).toBe(200);
}, 40_000);

describe.each([
  { over: 'plain HTTP', yaml: '' },
  { over: 'TLS, before its handshake', yaml: tls },
])('a connection over $over that sends nothing while the server closes', ({ yaml }) => {
  test('holds up the end for less than two seconds, and the address stays known meanwhile', async () => {
    const { access } = await secured(yaml);
    const listeners = await listenOn(
      [{ host: '127.0.0.1', port: 0 }],
      access.current(),
      () => undefined,
      () => undefined,
      createHandshakes('web', silentLog),
    );
    const before = listeners.addresses();
    const socket = plain(Number(new URL(before[0] ?? '').port));
    await once(socket, 'connect');
    const began = performance.now();
    const closed = listeners.close();
    expect(listeners.addresses()).toEqual(before);
    await closed;
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(listeners.addresses()).toEqual(before);
  });
});
