/** Scrapers that never finish, over real sockets, against the built exporter: nobody waits for them (issue 14, section 2). */
import { once } from 'node:events';
import { appendFile, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { total } from '../support/scraped.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';

/** Asks from an address of its own and resets its connection before it has read the answer, again and again. */
function startBreakingOff(url: string, localAddress: string, everyMs: number): { readonly asked: () => number } {
  let asked = 0;
  const timer = setInterval(() => {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', localAddress });
    socket.on('error', () => undefined);
    socket.on('connect', () => {
      socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n', () => socket.resetAndDestroy());
      asked++;
    });
  }, everyMs);
  onTestFinished(() => {
    clearInterval(timer);
  });
  return { asked: () => asked };
}

async function headFrom(url: string, localAddress: string): Promise<void> {
  const request = httpRequest(`${url}/metrics`, { method: 'HEAD', localAddress, agent: false }).end();
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream];
  response.resume();
}

test('five new errors are shown although another address asks all the time and never reads to the end', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'events.ndjson');
  await writeFile(file, '');
  const exporter = await startExporter({ files: [file], args: ['--no-probe'] });
  onTestFinished(() => exporter.kill9());
  const breaking = startBreakingOff(exporter.url, '127.0.0.2', 20);
  await exporter.scrape();
  await vi.waitFor(() => {
    expect(breaking.asked()).toBeGreaterThan(20);
  });
  const lines = Array.from({ length: 5 }, (_, index) =>
    winlogbeatLine({ recordId: index + 1, connector: 'Outbound', destination: `203.0.113.${index + 1}:25` }),
  );
  await appendFile(file, lines.join(''));
  const seen: number[] = [];
  await vi.waitFor(
    async () => {
      // A HEAD request reads nothing either.
      await headFrom(exporter.url, '127.0.0.3');
      seen.push(total(await exporter.scrape()));
      expect(seen.at(-1)).toBe(5);
    },
    { timeout: 20_000, interval: 250 },
  );
  expect([...new Set(seen)], 'at zero first, then all at once').toEqual([0, 5]);
  const askedBefore = breaking.asked();
  await pause(500);
  expect(breaking.asked()).toBeGreaterThan(askedBefore);
});
