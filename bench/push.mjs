/** Elastic's own Lumberjack client sends 60,000 records with 600 events 2002 while the exporter is killed ten times. */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const [records, hits, wantedKills] = [60_000, 600, 10];

export async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'push-'));
  try {
    const found = await deliver(folder, clientIn(folder));
    console.log(found);
    if (found.errors !== hits || found.kills !== wantedKills) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Built by Go from the module proxy. */
function clientIn(folder) {
  const go = (...args) => execFileSync('go', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  copyFileSync(here('push/lumberjack.go'), join(folder, 'main.go'));
  go('mod', 'init', 'example.test/lumberjack');
  go('get', 'github.com/elastic/go-lumber/client/v2@v0.1.0');
  go('build', '-o', 'client', '.');
  return join(folder, 'client');
}

async function deliver(folder, client) {
  const input = join(folder, 'input.ndjson');
  writeFileSync(input, Array.from({ length: records }, (_, n) => line(n + 1)).join(''));
  const [port, webPort] = [15_044, 15_202];
  const config = join(folder, 'config.yml');
  writeFileSync(
    config,
    `sources: [{ type: lumberjack, listenAddress: "127.0.0.1:${port}" }]
web: { listenAddresses: ["127.0.0.1:${webPort}"] }
state: { directory: ${folder}/state }
`,
  );
  let exporter = startExporter(config);
  const began = performance.now();
  const sender = spawn(client, [`127.0.0.1:${port}`, input], { stdio: 'inherit' });
  let [kills, isDone] = [0, false];
  sender.on('exit', () => (isDone = true));
  while (!isDone) {
    await pause(kills < wantedKills ? 2_500 : 200);
    if (isDone || kills === wantedKills || !exporter.listens()) continue;
    exporter.kill();
    kills++;
    exporter = startExporter(config);
  }
  const seconds = Math.round((performance.now() - began) / 1000);
  const file = join(folder, 'state', 'ledger.json');
  const saved = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { rows: [] };
  exporter.kill();
  return { kills, seconds, errors: saved.rows.reduce((sum, row) => sum + row.errors, 0) };
}

function startExporter(config) {
  const guard = here('../test/support/loopback-guard.mjs');
  const args = ['--import', guard, here('../dist/main.js'), '--config.file', config, '--no-probe'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (text) => (log += text));
  return { listens: () => log.includes('listening for records'), kill: () => child.kill('SIGKILL') };
}

function line(recordId) {
  const isHit = recordId % (records / hits) === 0;
  const winlog = {
    provider_name: isHit ? 'MSExchangeTransport' : 'Another',
    channel: 'Application',
    computer_name: 'EXCH01.contoso.local',
    event_id: isHit ? '2002' : '1',
    record_id: recordId,
    event_data: { param1: 'Outbound', param2: '203.0.113.25:25' },
  };
  return `${JSON.stringify({ '@timestamp': new Date().toISOString(), message: 'one', winlog })}\n`;
}
