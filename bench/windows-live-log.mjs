/**
 * The Windows service that reads the live log, through a strict stand-in for wevtapi.dll with faults: errors, cleared and
 * wrapped logs, a log that is down, crashes of its reader, kills and restarts of the service. Every record is counted once.
 */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { countsOf, expect, freePort, installed, layProgram, onMachine, step, until } from './windows/machine.mjs';

/** The reader looks every two minutes whether its subscription is deaf, and believes it at the third look. Milliseconds. */
const deafMs = 420_000;

/** What is done before records are written, and how long it may take until they are counted. */
const faults = [
  { tell: ['fail EvtNext 1734 3'] },
  { tell: ['fail EvtNext 15011 1'] },
  { tell: ['fail EvtNext 1722 1'] },
  { tell: ['fail EvtNext 6 1'] },
  { tell: ['fail EvtNext 4317 1'] },
  { tell: ['fail EvtNext 87 1', 'fail EvtSubscribe 1168 1'] },
  { tell: ['large'] },
  { tell: ['clear'] },
  { tell: ['clear_anew'] },
  { tell: ['keep 3'] },
  { tell: ['restart'], patience: deafMs },
  { tell: ['crash'] },
];

export async function run() {
  await onMachine(async (machine) => {
    await layProgram(machine);
    const world = await worldOf(machine);
    await readsThroughFaults(world);
    await outlivesItsEnds(world);
    console.log(`written ${world.written()}, counted ${world.counts.highest()}; no value ever fell`);
  });
}

async function worldOf({ drive, wine, compile }) {
  const log = path.join(drive, 'fake-log');
  mkdirSync(log);
  const firstSecond = Math.floor(Date.now() / 1000) - 3_600;
  const library = compile('wevtapi.dll', 'fake-wevtapi.c', ['-shared', `-DFIRST_SECOND=${firstSecond}LL`]);
  copyFileSync(library, path.join(drive, 'windows/system32/wevtapi.dll'));
  await wine('reg', 'add', 'HKCU\\Software\\Wine\\DllOverrides', '/v', 'wevtapi', '/d', 'native', '/f');
  const port = await freePort();
  const data = path.join(drive, 'ProgramData/send-connector-exporter');
  mkdirSync(data, { recursive: true });
  const config = ['sources: [{ type: windows-event-log }]', 'probe: { enabled: false }'];
  writeFileSync(
    path.join(data, 'config.yml'),
    [...config, `web: { listenAddresses: ['127.0.0.1:${port}'] }`].join('\n'),
  );
  const [counts, service] = [countsOf(port), (...args) => wine(installed, 'service', ...args)];
  let [commands, written] = [0, 0];
  const tell = (...lines) => {
    for (const line of lines) writeFileSync(path.join(log, `${++commands}.ctl`), `${line}\n`);
  };
  return {
    wine,
    counts,
    service,
    tell,
    written: () => written,
    /** Writes records, and waits until each is counted once. */
    write: async (count, { before = [], patience } = {}) => {
      tell(...before, `write 0 ${count}`);
      written += count;
      await counts.until(written, patience);
    },
    more: (count) => (written += count),
    status: async () => (await service('status')).text,
    isUp: async () => {
      const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      return /^exchange_exporter_source_up\{source="Application"\} (\d)$/m.exec(page)?.[1];
    },
  };
}

async function readsThroughFaults({ service, tell, write, more, counts, written, status, isUp }) {
  await step('the service is made and starts', async () => {
    tell('write 0 300');
    more(300);
    const { code, text } = await service('install');
    expect(code === 0 && /state +running/.test(text), text);
    await counts.until(300);
  });
  for (const { tell: before, patience } of faults)
    await step(`7 records are counted once after: ${before.join(', ')}`, () => write(7, { before, patience }));
  await step('records that come while the end is looked for', async () => {
    tell('during 5');
    more(5);
    await write(1);
  });
  await step('a log that is down is shown as down, and read on when it is up', async () => {
    tell('down');
    await until('the source is down', async () => (await isUp()) === '0');
    expect(/state +running/.test(await status()), 'the service has ended');
    tell('write 0 4');
    more(4);
    tell('up');
    await counts.until(written(), deafMs);
    await until('the source is up', async () => (await isUp()) === '1');
  });
}

async function outlivesItsEnds({ service, wine, tell, write, more, counts, written, status }) {
  await step('20 records while it is stopped, 900 after the log began anew', async () => {
    expect((await service('stop')).text.includes('exit code 0'), 'no clean stop');
    tell('write 0 20');
    more(20);
    expect((await service('start')).code === 0, 'no start');
    await counts.until(written());
    await write(900, { before: ['clear_anew'] });
  });
  for (let kill = 1; kill <= 5; kill++)
    await step(`kill ${kill} of 5, with 50 records after it`, async () => {
      const pid = /^process +(\d+)/m.exec(await status())?.[1];
      await wine('taskkill', '/f', '/pid', String(pid));
      tell('write 0 50');
      more(50);
      // Wine has no failure actions: a person starts it.
      await service('stop');
      expect((await service('start')).code === 0, await status());
      await counts.until(written());
    });
  await step('stop saves and ends with 0', async () => {
    const { code, text } = await service('stop');
    expect(code === 0 && text.includes('exit code 0'), text);
  });
}
