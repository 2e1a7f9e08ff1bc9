/** The exporter while a sender delivers: killed again and again, its disk full for a while; what is counted in the end. */
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { total } from '../exporter.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
/** What is delivered, and what is done to the exporter meanwhile. */
export const [records, hits, wantedKills, fullMs] = [60_000, 600, 10, 20_000];

/**
 * Until the sender has delivered all.
 * @param sources of the exporter, as YAML
 * @param isDelivered asked now and then with what a scrape counts
 */
export async function killWhileDelivering({ folder, sources, webPort, isDelivered, aliveMs = 2_500 }) {
  const state = join(folder, `state-${webPort}`);
  mkdirSync(state, { recursive: true });
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', state]).status === 0;
  if (!isMounted) console.warn('SKIPPED: a full disk, for nothing may be mounted here');
  const config = join(folder, `config-${webPort}.yml`);
  const web = `web: { listenAddresses: ["127.0.0.1:${webPort}"] }`;
  writeFileSync(config, `sources: ${sources}\n${web}\nstate: { directory: ${state} }\n`);
  const began = performance.now();
  const running = { exporter: startExporter(config) };
  let [kills, full] = [0, !isMounted];
  try {
    while (!(await isDelivered(await errorsAt(webPort))) || kills < wantedKills || !full) {
      await pause(kills < wantedKills ? aliveMs : 200);
      if (kills === wantedKills >> 1 && !full) {
        full = true;
        await fillFor(join(state, 'ballast'), fullMs);
      }
      if (kills === wantedKills || !running.exporter.listens()) continue;
      running.exporter.kill();
      kills++;
      running.exporter = startExporter(config);
    }
    // What comes again must not count again.
    for (let scrapes = 0; scrapes < 6; scrapes++) await pause(500).then(() => errorsAt(webPort));
    const seconds = Math.round((performance.now() - began) / 1000);
    return { kills, fullSeconds: isMounted ? fullMs / 1000 : 0, seconds, errors: await errorsAt(webPort) };
  } finally {
    running.exporter.kill();
    if (isMounted) spawnSync('umount', ['-l', state]);
  }
}

async function fillFor(file, ms) {
  const until = performance.now() + ms;
  while (performance.now() < until) {
    // A save that fails gives blocks back.
    try {
      for (;;) appendFileSync(file, Buffer.alloc(4_096));
    } catch (error) {
      if (error.code !== 'ENOSPC') throw error;
    }
    await pause(20);
  }
  rmSync(file);
}

/** What a scrape counts; 0 while nobody answers. */
async function errorsAt(webPort) {
  try {
    return total(await (await fetch(`http://127.0.0.1:${webPort}/metrics`)).text());
  } catch {
    return 0;
  }
}

function startExporter(config) {
  const guard = here('../../test/support/loopback-guard.mjs');
  const args = ['--import', guard, here('../../dist/main.js'), '--config.file', config, '--no-probe'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  let log = '';
  child.stderr.on('data', (text) => (log += text));
  return { listens: () => /listening for records|msg=listening/.test(log), kill };
}

/** One event as Winlogbeat writes it; every hundredth is an event 2002. */
export function line(recordId) {
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

export function lines(from = 1, to = records) {
  return Array.from({ length: to - from + 1 }, (_, n) => line(from + n)).join('');
}
