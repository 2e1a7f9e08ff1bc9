/** The web server over real HTTP on loopback: status codes, headers, limits. */
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runningWeb, type RunningWeb } from './servers.js';
import { booksOf, evil, largeWorld, mailWorld } from './world.js';

type Reply = { status: number; headers: IncomingMessage['headers']; body: Buffer; text: string };

/** One request with the path exactly as given; fetch would tidy it up. */
function ask(
  url: string,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, agent: false, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, text: body.toString() });
      });
    });
    sent.on('error', reject).end();
  });
}

describe('the web server', () => {
  let web: RunningWeb;
  let broken = false;
  let why: string[] = [];
  let reloads = 0;
  beforeAll(async () => {
    const books = booksOf(mailWorld);
    const rows = () => {
      if (broken) throw new Error('secret cause');
      return books.ledger.rows();
    };
    web = await runningWeb(mailWorld, {
      ledger: { ...books.ledger, rows },
      ready: () => ({ ready: why.length === 0, why }),
      reload: () => {
        reloads++;
        return Promise.resolve({ successful: true });
      },
    });
  });
  afterAll(() => web.close());

  test.each([
    ['/', 200, 'text/html'],
    ['/?q=x&q=y&state[$ne]=1&page=-5', 200, 'text/html'],
    ['/connectors/Outbound%20to%20Internet', 200, 'text/html'],
    ['/connectors/Scan%20%26%20Fax%20%22Relay%22%20%2F%20Paris', 200, 'text/html'],
    ['/destinations/203.0.113.25:25', 200, 'text/html'],
    ['/destinations/%5B2001:db8::25%5D:25', 200, 'text/html'],
    ['/destinations/[2001:db8::25]:25', 200, 'text/html'],
    ['/runbooks', 200, 'text/html'],
    ['/runbooks/DestinationDown?connector=x&destination=y', 200, 'text/html'],
    ['/-/healthy', 200, 'text/plain'],
    ['/-/ready', 200, 'text/plain'],
    ['/metrics', 200, 'text/plain; version=0.0.4; charset=utf-8'],
    ['/nowhere', 404, 'text/html'],
    ['/connectors/nobody', 404, 'text/html'],
    ['/runbooks/..%2fsecret', 404, 'text/html'],
    ['/runbooks/..%2f..%2f..%2fetc%2fpasswd', 404, 'text/html'],
    ['/runbooks/../../package.json', 404, 'text/html'],
    ['/runbooks/%2e%2e%2fsecret.txt', 404, 'text/html'],
    ['/runbooks/secret.txt', 404, 'text/html'],
    ['/assets/../server.ts', 404, 'text/html'],
    ['/api/v1/nothing', 404, 'application/json'],
    ['/connectors/%E0%A4%A', 400, 'text/html'],
  ])('%s answers %i %s', async (path, status, type) => {
    const reply = await ask(web.url, path);
    expect(reply.status).toBe(status);
    expect(reply.headers['content-type']).toContain(type);
    expect(reply.text).not.toContain('not a runbook');
    expect(reply.text).not.toMatch(/node_modules|at \w+ \(/);
    expect(reply.headers['content-security-policy']).toContain("default-src 'none'");
    expect(reply.headers['content-security-policy']).not.toContain('unsafe');
    expect(reply.headers['x-content-type-options']).toBe('nosniff');
    expect(reply.headers['x-powered-by']).toBeUndefined();
  });

  test('a name with every dangerous character is text on every page that takes one', async () => {
    for (const path of [
      `/connectors/${encodeURIComponent(evil)}`,
      `/destinations/${encodeURIComponent(evil)}`,
      `/runbooks/${encodeURIComponent(evil)}`,
      `/${encodeURIComponent(evil)}`,
      `/runbooks/DestinationDown?connector=${encodeURIComponent(evil)}`,
    ]) {
      const { text } = await ask(web.url, path);
      expect(text).not.toContain('<img');
    }
  });

  test('HEAD has the headers of GET and no body; on the metrics it is not a scrape', async () => {
    web.scrapers.length = 0;
    for (const path of ['/', '/-/healthy', '/metrics', '/runbooks/DestinationDown', '/nowhere']) {
      const [head, get] = [await ask(web.url, path, { method: 'HEAD' }), await ask(web.url, path)];
      expect(head.status).toBe(get.status);
      expect(head.headers['content-type']).toBe(get.headers['content-type']);
      expect(head.body).toHaveLength(0);
    }
    expect(web.scrapers).toHaveLength(1);
  });

  test('other methods are refused and told what is allowed', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
      const reply = await ask(web.url, '/metrics', { method });
      expect(reply.status, method).toBe(405);
      expect(reply.headers.allow).toBe('GET, HEAD');
    }
  });

  test.each([
    ['a program, which sends no Origin', {}, 200],
    ['our own page over plain HTTP', { Origin: 'http://exchange-monitor:10202', Host: 'exchange-monitor:10202' }, 200],
    ['our own page on the usual port', { Origin: 'http://exchange-monitor', Host: 'exchange-monitor:80' }, 200],
    ['our own page behind a proxy that ends TLS', { Origin: 'https://monitor.example', Host: 'monitor.example' }, 200],
    ['our own page, told by a browser', { 'Sec-Fetch-Site': 'same-origin', Origin: 'http://a:1', Host: 'a:1' }, 200],
    ['a person who typed it', { 'Sec-Fetch-Site': 'none' }, 200],
    ['another site over plain HTTP', { Origin: 'http://evil.example', Host: 'exchange-monitor:10202' }, 403],
    ['another port of the same host', { Origin: 'http://a:8080', Host: 'a:10202' }, 403],
    ['a name that begins as ours', { Origin: 'http://a.evil.example:10202', Host: 'a:10202' }, 403],
    ['a page without a site', { Origin: 'null', Host: 'a:10202' }, 403],
    ['an Origin that is none', { Origin: 'http://a:10202, http://b', Host: 'a:10202' }, 403],
    ['another site, told by a browser', { 'Sec-Fetch-Site': 'cross-site' }, 403],
    ['a sister site, told by a browser', { 'Sec-Fetch-Site': 'same-site', Origin: 'http://a:1', Host: 'a:1' }, 403],
  ])('POST /-/reload by %s', async (_who, headers, status) => {
    const before = reloads;
    const reply = await ask(web.url, '/-/reload', { method: 'POST', headers });
    expect(reply.status).toBe(status);
    expect(reloads - before).toBe(status === 200 ? 1 : 0);
    if (status === 403) expect(reply.text).toMatch(/^Expected a request of this site, got one of .* site/);
  });

  test('2.4 nothing that changes something may be sent by another site, also where nothing is', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
      expect((await ask(web.url, '/nowhere', { method, headers: { Origin: 'http://evil.example' } })).status).toBe(403);
  });

  test('POST /-/reload by our own page where a proxy puts another Host', async () => {
    const behind = await runningWeb(mailWorld, { externalUrl: 'https://monitor.example/exchange' });
    const from = (origin: string) =>
      ask(behind.url, '/exchange/-/reload', { method: 'POST', headers: { Origin: origin, Host: '127.0.0.1:10202' } });
    expect((await from('https://monitor.example')).status).toBe(200);
    expect((await from('http://monitor.example')).status).toBe(403);
    await behind.close();
  });

  test('a scraper is told apart by the address of its connection, never by a header', async () => {
    web.scrapers.length = 0;
    await ask(web.url, '/metrics', { headers: { 'X-Forwarded-For': '198.51.100.1', Forwarded: 'for=198.51.100.1' } });
    expect(web.scrapers).toEqual(['127.0.0.1']);
  });

  test('metrics and pages are compressed when asked, and only then', async () => {
    for (const path of ['/metrics', '/']) {
      const plain = await ask(web.url, path);
      const packed = await ask(web.url, path, { headers: { 'Accept-Encoding': 'gzip' } });
      expect(plain.headers['content-encoding']).toBeUndefined();
      expect(packed.headers['content-encoding']).toBe('gzip');
      expect(packed.headers.vary).toContain('Accept-Encoding');
      expect(gunzipSync(packed.body).toString()).toBe(plain.text);
    }
  });

  test('assets carry their hash and may be kept for ever; pages may not', async () => {
    const home = await ask(web.url, '/');
    expect(home.headers['cache-control']).toBe('no-store');
    const found = [...home.text.matchAll(/"(\/assets\/[\w-]+\.(css|js|svg))"/g)].map((match) => match[1]!);
    expect(found).toHaveLength(3);
    for (const path of found) {
      const reply = await ask(web.url, path);
      expect(reply.status).toBe(200);
      expect(reply.headers['cache-control']).toContain('immutable');
    }
  });

  test('not ready: 503 and every reason', async () => {
    why = ['The ledger cannot be saved.', 'No source is up.'];
    const reply = await ask(web.url, '/-/ready');
    why = [];
    expect(reply.status).toBe(503);
    expect(reply.text).toBe('not ready\n- The ledger cannot be saved.\n- No source is up.\n');
    expect((await ask(web.url, '/-/healthy')).status).toBe(200);
  });

  test('a page that fails says so without a stack; the log has the cause under the same reference', async () => {
    broken = true;
    const reply = await ask(web.url, '/');
    broken = false;
    expect(reply.status).toBe(500);
    expect(reply.text).not.toContain('secret cause');
    const reference = /<code>([0-9a-f]{8})<\/code>/.exec(reply.text)?.[1];
    const line = web.logged.find((one) => one.level === 'error');
    expect(line?.fields).toMatchObject({ reference, path: '/' });
    expect((line?.fields as { err: Error }).err.message).toBe('secret cause');
  });

  test('headers beyond 16 KiB are refused and the server goes on', async () => {
    const reply = await ask(web.url, '/', { headers: { 'X-Large': 'x'.repeat(20_000) } });
    expect(reply.status).toBe(431);
    expect((await ask(web.url, '/-/healthy')).status).toBe(200);
  });

  test('bytes that are not HTTP are refused and the server goes on', async () => {
    const { hostname, port } = new URL(web.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write('\x16\x03\x01 EHLO there\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('close', () => {
        resolve(text);
      });
      socket.on('error', reject);
    });
    expect(answer).toContain('400 Bad Request');
    expect((await ask(web.url, '/-/healthy')).status).toBe(200);
  });
});

describe('starting and stopping', () => {
  test('a port that is taken is a sentence with the address and the flag, and leaves nothing open', async () => {
    const first = await runningWeb({});
    const port = Number(new URL(first.url).port);
    await expect(
      runningWeb(
        {},
        {
          listen: [
            { host: '127.0.0.1', port: 0 },
            { host: '127.0.0.1', port },
          ],
        },
      ),
    ).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: another program listens there already; stop it or choose another port (--web.listen-address)`,
    );
    await first.close();
    await expect(ask(first.url, '/')).rejects.toThrow();
  });

  test('listens on several addresses at once', async () => {
    const web = await runningWeb(
      {},
      {
        listen: [
          { host: '127.0.0.1', port: 0 },
          { host: '127.0.0.1', port: 0 },
        ],
      },
    );
    expect((await ask(web.url, '/-/healthy')).text).toBe('healthy\n');
    await web.close();
  });

  test('an idle client that keeps its connection does not hold up the end', async () => {
    const web = await runningWeb({});
    const { hostname, port } = new URL(web.url);
    const socket = connect(Number(port), hostname);
    const answered = new Promise((resolve) => socket.once('data', resolve));
    socket.write('GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n');
    await answered;
    const ended = new Promise((resolve) => socket.once('close', resolve));
    await web.close();
    await ended;
  });

  test('without runbooks it starts, warns, and still serves', async () => {
    const web = await runningWeb(mailWorld, { runbooks: '/nonexistent/runbooks' });
    expect(web.logged).toMatchObject([
      { level: 'warn', message: expect.stringContaining('runbooks cannot be read') as string },
    ]);
    expect((await ask(web.url, '/')).status).toBe(200);
    expect((await ask(web.url, '/runbooks')).text).toContain('No runbooks are installed');
    await web.close();
  });

  test('behind a path of an external URL it answers with and without that path', async () => {
    const web = await runningWeb(mailWorld, { externalUrl: 'https://monitor.example/exchange/' });
    for (const path of [
      '/',
      '/exchange/',
      '/exchange',
      '/exchange/-/ready',
      '/metrics',
      '/exchange/metrics',
      '/exchange/runbooks/DestinationDown',
    ]) {
      expect((await ask(web.url, path)).status, path).toBe(200);
    }
    expect((await ask(web.url, '/connectors')).headers.location).toBe('/exchange/');
    await web.close();
  });

  test('2,000 destinations are served below a megabyte', async () => {
    const web = await runningWeb(largeWorld(2_000));
    const [page, all] = [await ask(web.url, '/'), await ask(web.url, '/?page=all')];
    expect(page.status).toBe(200);
    expect(all.status).toBe(200);
    expect(page.body.length).toBeLessThan(300_000);
    expect(all.body.length).toBeLessThan(1_000_000);
    await web.close();
  });
});
