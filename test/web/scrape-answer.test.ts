/** Scrapes over real sockets, some of which break off: what a scraper did not get it has not seen. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import express, { type Response } from 'express';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openLedger, type Ledger } from '../../src/ledger/ledger.js';
import type { Metrics } from '../../src/metrics/metrics.js';
import type { ConnectionError } from '../../src/model/evidence.js';
import { pageOf } from '../../src/metrics/page.js';
import { createScrapeAnswers } from '../../src/web/http/scrape-answer.js';
import { temporaryFolder } from '../support/folder.js';
import { metricsOf } from '../support/metrics-of.js';
import { runningWeb } from './servers.js';
import { mailWorld } from './world.js';

async function realMetrics(rows: number): Promise<{ ledger: Ledger; metrics: Metrics; renderings: () => number }> {
  const ledger = await openLedger({ directory: await temporaryFolder(), now: Date.now, limit: 100_000 });
  onTestFinished(() => ledger.close());
  let renderings = 0;
  const counted = {
    ...ledger,
    scrape: () => {
      renderings++;
      return ledger.scrape();
    },
  };
  const metrics = metricsOf(counted);
  if (rows > 0) await enter(ledger, rows);
  return { ledger, metrics, renderings: () => renderings };
}

async function enter(ledger: Ledger, rows: number, name = 'old'): Promise<void> {
  const at = Date.now();
  const evidence = Array.from({ length: rows }, (_, index): ConnectionError => {
    const [server, connector, destination] = ['exch01', 'Outbound', `${name}${index}.example:25`];
    const key = { server, channel: 'application', recordId: undefined, time: at };
    return { kind: 'connection_error', key, server, connector, destination, at };
  });
  const head = { length: 0, hash: '' };
  const checkpoint = { source: 'log', path: '/log', inode: '1:2', head, tail: head, history: false, offset: 1 };
  await ledger.post({ source: 'log', evidence, ignored: 0, unreadable: {}, checkpoint, history: false });
  await vi.waitFor(() => {
    expect(ledger.rows().some((row) => row.destination === `${name}0.example:25`)).toBe(true);
  });
}

async function serving(metrics: Metrics): Promise<string> {
  const web = await runningWeb(mailWorld, { metrics });
  onTestFinished(() => web.close());
  return web.url;
}

/** A scraper that asks and then does as it likes. */
async function asking(url: string, headers = ''): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(`GET /metrics HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
  return socket;
}

async function errorsOf(url: string, destination: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = new RegExp(`^exchange_send_connector_connection_errors_total\\{.*${destination}.*\\} (\\d+)$`, 'm');
  return Number(line.exec(text)?.[1]);
}

/** Scrapes until the value is shown. @returns all that was shown on the way */
async function untilShown(url: string, destination: string, value: number): Promise<number[]> {
  const seen: number[] = [];
  await vi.waitFor(
    async () => {
      seen.push(await errorsOf(url, destination));
      expect(seen.at(-1)).toBe(value);
    },
    { timeout: 30_000, interval: 150 },
  );
  return seen;
}

test('an answer that breaks off midway does not count as read: the next one shows zero again', async () => {
  const { ledger, metrics } = await realMetrics(20_000);
  const url = await serving(metrics);
  await untilShown(url, 'old0.example:25', 1);
  await enter(ledger, 1, 'new');
  for (let scrape = 0; scrape < 3; scrape++) {
    const socket = await asking(url);
    await once(socket, 'data');
    socket.destroy();
  }
  const seen = await untilShown(url, 'new0.example:25', 1);
  expect(seen[0]).toBe(0);
}, 60_000);

test('nor does one that was sent but never read', async () => {
  const { ledger, metrics } = await realMetrics(0);
  const read = vi.fn();
  const asked = vi.fn();
  const watched: Metrics = {
    ...metrics,
    render: async (scraper) => {
      const { page, wasRead } = await metrics.render(scraper);
      asked();
      const noted = (): void => {
        read();
        wasRead();
      };
      return { page, wasRead: noted };
    },
  };
  const url = await serving(watched);
  await enter(ledger, 1, 'new');
  const socket = await asking(url);
  // Nobody listens for data, so it stays in the buffer of the system; closing then resets the connection.
  socket.pause();
  await vi.waitFor(() => {
    expect(asked).toHaveBeenCalledTimes(1);
  });
  socket.resetAndDestroy();
  expect(await errorsOf(url, 'new0.example:25')).toBe(0);
  await vi.waitFor(() => {
    expect(read).toHaveBeenCalledTimes(1);
  });
  await untilShown(url, 'new0.example:25', 1);
});

test('two hundred scrapes at a time share the work, and each gets the whole page', async () => {
  const { metrics, renderings } = await realMetrics(3000);
  const together = await Promise.all(Array.from({ length: 200 }, () => metrics.render('127.0.0.1')));
  expect(renderings()).toBe(1);
  expect(new Set(together.map(({ page }) => page)).size).toBe(1);
  const { ages, watched } = watching(metrics);
  const url = await serving(watched);
  const headers = { 'Accept-Encoding': 'gzip' };
  const bodies = await Promise.all(Array.from({ length: 200 }, () => bodyOf(url, headers)));
  // The first few are shown the newest; all others may share a page.
  expect(ages.filter((age) => age === 0).length).toBeLessThan(100);
  for (const body of bodies) {
    const text = gunzipSync(body).toString();
    expect(text.match(/^exchange_send_connector_connection_errors_total/gm)).toHaveLength(3000);
    expect(text.endsWith('\n')).toBe(true);
  }
}, 60_000);

/** Metrics that write down how old a page may be for whoever asks. */
function watching(metrics: Metrics): { ages: (number | undefined)[]; watched: Metrics } {
  const ages: (number | undefined)[] = [];
  const render: Metrics['render'] = (scraper, maxAgeMs) => {
    ages.push(maxAgeMs);
    return metrics.render(scraper, maxAgeMs);
  };
  return { ages, watched: { ...metrics, render } };
}

test('scrapes one after the other get the newest page each, however quickly they come', async () => {
  const { metrics } = await realMetrics(10);
  const { ages, watched } = watching(metrics);
  const url = await serving(watched);
  for (let scrape = 0; scrape < 30; scrape++) await bodyOf(url, {});
  expect(ages).toEqual(Array.from({ length: 30 }, () => 0));
});

function bodyOf(url: string, headers: Record<string, string>): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}/metrics`, { headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        resolve(Buffer.concat(parts));
      });
      response.on('error', reject);
    });
    request.on('error', reject).end();
  });
}

/** The answers alone, with what the server knows of each. */
async function answering(metrics: Metrics): Promise<{ url: string; responses: Response[] }> {
  const responses: Response[] = [];
  const answer = createScrapeAnswers(metrics, () => undefined);
  const server = express()
    .get('/metrics', (request, response) => {
      responses.push(response);
      return answer(request, response, '127.0.0.1');
    })
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, responses };
}

/** Pages too large for the buffers of a connection, each another one. */
function largePages(): Metrics {
  let version = 0;
  return {
    contentType: 'text/plain',
    render: () => {
      const page = pageOf([`# version ${++version}\n`, `${'x'.repeat(1023)}\n`.repeat(24 * 1024)]);
      return Promise.resolve({ page, wasRead: () => undefined });
    },
  };
}

test('slow readers of old pages are let go before they fill the memory; the newest is served', async () => {
  const { url, responses } = await answering(largePages());
  const slow: Socket[] = [];
  for (let reader = 1; reader <= 6; reader++) {
    slow.push(await asking(url));
    await vi.waitFor(() => {
      expect(responses).toHaveLength(reader);
    });
  }
  await vi.waitFor(() => {
    expect(responses.map((response) => response.destroyed)).toEqual([true, true, true, false, false, false]);
  });
  slow.at(-1)?.resume();
  await vi.waitFor(() => {
    expect(responses.at(-1)?.writableFinished).toBe(true);
  });
}, 60_000);

test('a scraper that says how long it waits is waited for no longer', async () => {
  const { url, responses } = await answering(largePages());
  await asking(url, 'X-Prometheus-Scrape-Timeout-Seconds: 0.3\r\n');
  await vi.waitFor(
    () => {
      expect(responses[0]?.destroyed).toBe(true);
    },
    { timeout: 30_000 },
  );
  expect(responses[0]?.writableFinished).toBe(false);
}, 60_000);
