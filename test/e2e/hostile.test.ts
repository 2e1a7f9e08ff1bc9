/** A log that was written to do harm: memory stays within bounds, totals stay exact, what was folded is counted. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';

const events = 60_000;
const limit = 2_000;

test.skipIf(process.platform !== 'linux')(
  `${events} events, each with another destination: below 200 MiB, exact for each connector`,
  { timeout: 240_000 },
  async () => {
    const folder = await temporaryFolder();
    const file = path.join(folder, 'events.ndjson');
    await writeFile(file, '');
    const exporter = await startExporter({ files: [file], args: ['--no-probe'] });
    onTestFinished(() => exporter.kill9());
    for (let from = 0; from < events; from += 2_000) {
      const numbers = Array.from({ length: 2_000 }, (_, index) => from + index);
      await appendFile(file, numbers.map(hostileLine).join(''));
      // Scrapes meanwhile, as in life: they must not keep what is folded either.
      if (from % 10_000 === 0) await exporter.scrape();
    }
    let page = '';
    await vi.waitFor(
      async () => {
        page = await exporter.scrape();
        expect([0, 1, 2].map((connector) => totalOf(page, `Outbound ${connector}`))).toEqual([20_000, 20_000, 20_000]);
      },
      { timeout: 180_000, interval: 500 },
    );
    const rows = page.match(/^exchange_send_connector_connection_errors_total\{/gm) ?? [];
    expect(rows).toHaveLength(3 * (limit + 1));
    expect(page).toContain(`exchange_exporter_destinations_folded_total ${events - 3 * limit}\n`);
    expect(await peakMiB(exporter.pid)).toBeLessThan(200);
  },
);

function hostileLine(n: number): string {
  const destination = `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}:25`;
  return winlogbeatLine({ recordId: n + 1, connector: `Outbound ${n % 3}`, destination });
}

function totalOf(page: string, connector: string): number {
  const lines = page.matchAll(
    /^exchange_send_connector_connection_errors_total\{.*connector="(.*)",destination=.*\} (\d+)$/gm,
  );
  return [...lines].reduce((sum, [, name, value]) => sum + (name === connector ? Number(value) : 0), 0);
}

/** The most memory that the process ever had. */
async function peakMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
