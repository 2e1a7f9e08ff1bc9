/** What is no regular file is said wherever a file of settings is named, and holds nobody. */
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/config.js';
import { loadWebConfig } from '../../src/config/web-config.js';
import { drillFile, writeDrill } from '../../src/events/sources/drills.js';
import { loadInventory } from '../../src/inventory/inventory.js';
import { loadLedgerFile } from '../../src/ledger/open-saved.js';
import { openProber } from '../../src/probes/probing.js';
import { createPolicy } from '../../src/probes/policy.js';
import { readPlainFile } from '../../src/runtime/plain-file.js';
import { temporaryFolder } from '../support/folder.js';
import { makeFifo, onPosix, withFifo } from '../support/named-pipe.js';

async function fifo(): Promise<string> {
  return makeFifo(path.join(await temporaryFolder(), 'pipe'));
}

const aPipe = 'a pipe (a FIFO or a process substitution), which can be read only once';

withFifo('a FIFO as --config.file is said', async () => {
  const file = await fifo();
  expect(await loadConfig({ file })).toMatchObject({ ok: false, mistakes: [expect.stringContaining(aPipe)] });
});

withFifo('a FIFO as --web.config.file, and as a certificate in it, is said', async () => {
  const file = await fifo();
  expect(await loadWebConfig(file)).toMatchObject({ ok: false, mistakes: [expect.stringContaining(aPipe)] });
  const config = path.join(await temporaryFolder(), 'web.yml');
  await writeFile(config, `tls_server_config:\n  cert_file: ${file}\n  key_file: ${file}\n`);
  expect(await loadWebConfig(config)).toMatchObject({
    ok: false,
    mistakes: [expect.stringContaining(`cert_file: expected a readable file, got ${aPipe}`)],
  });
});

withFifo('a FIFO as inventory.file is said', async () => {
  const file = await fifo();
  expect(await loadInventory(file)).toEqual({ ok: false, problem: expect.stringContaining(aPipe) as string });
});

withFifo('a FIFO as probe.caFile is said', async () => {
  const loaded = await loadConfig({ file: undefined });
  if (!loaded.ok) throw new Error(loaded.mistakes.join());
  const { probe } = loaded.config;
  const opening = openProber({ ...probe, caFile: await fifo() }, createPolicy(probe));
  await expect(opening).rejects.toThrow(aPipe);
});

withFifo('a FIFO in the place of the ledger is said', async () => {
  await expect(loadLedgerFile(await fifo())).rejects.toThrow(aPipe);
});

withFifo('a FIFO in the place of the drills is said', async () => {
  const directory = await temporaryFolder();
  const file = drillFile(directory);
  await mkdir(path.dirname(file));
  makeFifo(file);
  const drill = { connector: 'Outbound', destination: '203.0.113.25:25', server: 'exch01' };
  await expect(writeDrill(file, drill, new Date())).rejects.toThrow(aPipe);
});

onPosix('a device, a socket and a folder are said; the null device is empty', async () => {
  const folder = await temporaryFolder();
  const socket = path.join(folder, 'socket');
  const server = createServer().listen(socket);
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  await expect(readPlainFile('/dev/zero')).rejects.toThrow('a device, which is not read');
  await expect(readPlainFile(socket)).rejects.toThrow('a socket, which is not read');
  await expect(readPlainFile(folder)).rejects.toThrow('a folder, where a file is expected');
  expect(await readPlainFile('/dev/null')).toHaveLength(0);
});

test('a file that is too long is said, not read', async () => {
  const file = path.join(await temporaryFolder(), 'long');
  await writeFile(file, 'x'.repeat(2000));
  await expect(readPlainFile(file, { largest: 1999 })).rejects.toThrow('2000 bytes');
});
