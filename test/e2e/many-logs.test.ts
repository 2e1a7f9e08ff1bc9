/** More transport logs than checkpoints were once kept of, through the built exporter. */
import { appendFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { fingerprintOf } from '../../src/events/read/pass.js';
import { openLedger } from '../../src/ledger/ledger.js';
import { startExporter, type RunningExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';

/** Checkpoints were bounded at 10,000: each restart read the oldest files again. */
const logs = 12_000;

const head =
  '#Software: Microsoft Exchange Server\r\n#Version: 15.0.0.0\r\n#Log-type: Transport Connectivity Log\r\n' +
  '#Fields: date-time,session,source,Destination,direction,description\r\n';

let sessions = 0;

/** A session whose connection fails. */
function failure(): string {
  const id = `08DE${(++sessions).toString(16).toUpperCase().padStart(12, '0')}`;
  const row = `${new Date().toISOString()},${id},SMTP,mx.fabrikam.example`;
  return (
    `${row},+,DnsConnectorDelivery 2f6f0e8e-6a5c-4f0e-9d53-0b1b7f0f5f10;QueueLength=1\r\n` +
    `${row},>,Failed connection to 203.0.113.25:25 (ConnectionRefused:0000274D)\r\n` +
    `${row},-,Messages: 0 Bytes: 0 (Retry : Unable to connect)\r\n`
  );
}

/** Files that were read to their ends, and the ledger that says so. */
async function readBefore(folder: string, directory: string): Promise<string[]> {
  const ledger = await openLedger({ directory, now: Date.now });
  const files = Array.from({ length: logs }, (_, n) => path.join(folder, `CONNECTLOG20260115-${n + 1}.LOG`));
  for (let from = 0; from < logs; from += 500) {
    const posts = files.slice(from, from + 500).map(async (file) => {
      const content = Buffer.from(head + failure());
      await writeFile(file, content);
      const { dev, ino, mtimeNs } = await stat(file, { bigint: true });
      const all = fingerprintOf(content);
      await ledger.post({
        source: folder,
        evidence: [],
        ignored: 0,
        unreadable: {},
        history: false,
        checkpoint: {
          source: folder,
          path: file,
          inode: `${dev}:${ino}`,
          head: all,
          tail: all,
          history: false,
          offset: content.length,
          sizeRead: content.length,
          modifiedMs: Number(mtimeNs) / 1e6,
        },
      });
    });
    await Promise.all(posts);
  }
  await ledger.close();
  return files;
}

async function failuresOf(exporter: RunningExporter): Promise<number> {
  const page = await exporter.scrape();
  let sum = 0;
  for (const [, value] of page.matchAll(/^exchange_send_connector_connection_failures_total\{.*\} (\d+)$/gm))
    sum += Number(value);
  return sum;
}

async function untilRead(exporter: RunningExporter, failures: number): Promise<void> {
  await vi.waitFor(
    async () => {
      expect((await exporter.page('/-/ready')).status).toBe(200);
      expect(await failuresOf(exporter)).toBe(failures);
    },
    { timeout: 120_000, interval: 500 },
  );
}

test(
  'issue 14, 1.6: 12,000 transport logs are counted exactly across SIGTERM and SIGKILL',
  { timeout: 600_000 },
  async () => {
    const [folder, stateDirectory] = [path.join(await temporaryFolder(), 'logs'), await temporaryFolder()];
    await mkdir(folder);
    const files = await readBefore(folder, stateDirectory);
    const start = async (): Promise<RunningExporter> => {
      const exporter = await startExporter({ files: [folder], args: ['--no-probe'], stateDirectory });
      onTestFinished(() => exporter.kill9());
      return exporter;
    };
    /** Each of some files gets a failure more: the first, the last and others between. */
    const append = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++)
        await appendFile(files[Math.round((n * (logs - 1)) / (count - 1))] ?? '', failure());
    };

    let exporter = await start();
    await untilRead(exporter, 0);
    await append(50);
    for (let n = 1; n <= 100; n++) await writeFile(path.join(folder, `CONNECTLOG20260116-${n}.LOG`), head + failure());
    await untilRead(exporter, 150);
    expect(await exporter.stop()).toBe(0);

    await append(30);
    exporter = await start();
    await untilRead(exporter, 180);
    await exporter.kill9();

    await append(20);
    exporter = await start();
    await untilRead(exporter, 200);
    expect(await exporter.stop()).toBe(0);
    const book = JSON.parse(await readFile(path.join(stateDirectory, 'ledger.json'), 'utf8')) as {
      checkpoints: unknown[];
    };
    expect(book.checkpoints).toHaveLength(logs + 100);
  },
);
