/** Several files of one log, with more errors than are known one by one, caught up with in the order of their names. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { total } from '../support/scraped.js';

const perFile = 35_000;

/** The lines from a record ID on, a second apart; short, for there are many. */
function lines(firstId: number, firstAt: number): string {
  return Array.from({ length: perFile }, (_, n) => {
    const time = new Date(firstAt + n * 1000).toISOString();
    return (
      `{"@timestamp":"${time}","winlog":{"provider_name":"MSExchangeTransport","event_id":"2002","channel":"Application",` +
      `"computer_name":"exch01.contoso.example","record_id":${firstId + n},"event_data":{"param1":"To A","param2":"192.0.2.1:25"}}}\n`
    );
  }).join('');
}

test.each(['a folder', 'paths'])(
  'issue 14: a rotated file that is read after the newer one loses nothing (%s)',
  async (how) => {
    const folder = await temporaryFolder();
    const [newer, older] = [path.join(folder, 'f.log'), path.join(folder, 'f.log.1')];
    const begun = Date.now() - 2 * perFile * 1000;
    await writeFile(older, lines(1, begun));
    await writeFile(newer, lines(perFile + 1, begun + perFile * 1000));
    const exporter = await startExporter({
      files: how === 'paths' ? [newer, older] : [folder],
      stateDirectory: await temporaryFolder(),
      args: ['--no-probe'],
    });
    onTestFinished(async () => {
      await exporter.kill9();
    });
    await vi.waitFor(
      async () => {
        expect((await exporter.page('/-/ready')).status).toBe(200);
        expect(total(await exporter.scrape())).toBe(2 * perFile);
      },
      { timeout: 20_000, interval: 200 },
    );
  },
);
