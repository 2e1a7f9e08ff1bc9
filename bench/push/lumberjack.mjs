/**
 * Elastic's own Lumberjack client sends 60,000 records with 600 events 2002 while the exporter is killed ten times and its disk is
 * full for 20 seconds.
 */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hits, killWhileDelivering, lines, wantedKills } from './killed.mjs';

export async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'push-'));
  try {
    const found = await deliver(folder, clientIn(folder));
    console.log('Lumberjack', found);
    if (found.errors !== hits || found.kills !== wantedKills) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Built by Go from the module proxy. */
function clientIn(folder) {
  const go = (...args) => execFileSync('go', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  copyFileSync(fileURLToPath(new URL('lumberjack.go', import.meta.url)), join(folder, 'main.go'));
  go('mod', 'init', 'example.test/lumberjack');
  go('get', 'github.com/elastic/go-lumber/client/v2@v0.1.0');
  go('build', '-o', 'client', '.');
  return join(folder, 'client');
}

async function deliver(folder, client) {
  const input = join(folder, 'input.ndjson');
  writeFileSync(input, lines());
  const [port, webPort] = [15_044, 15_202];
  const sender = spawn(client, [`127.0.0.1:${port}`, input], { stdio: 'inherit' });
  let isDone = false;
  sender.on('exit', () => (isDone = true));
  const sources = `[{ type: lumberjack, listenAddress: "127.0.0.1:${port}" }]`;
  return killWhileDelivering({ folder, sources, webPort, isDelivered: () => isDone });
}
