/** Every way in which files change under a reader, and every way in which an event comes twice: each counts once. */
import { appendFile, chmod, copyFile, mkdir, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { addEvent, createLog, imageOf } from '../support/evtx-writer.js';
import { appendTorn, line, lines, playScenario, timeOf, type World } from '../support/exactness.js';
import type { RunningExporter } from '../support/exporter.js';
import { valueOf } from '../support/scraped.js';

const patience = { timeout: 60_000, interval: 50 };

/** Waits until the exporter has seen that nothing has the name of its source. */
async function misses(exporter: RunningExporter): Promise<void> {
  await vi.waitFor(async () => {
    expect((await exporter.page('/api/v1/status')).body).toMatch(/"detail": ?"[^"]*no such file or folder/);
  }, patience);
}

/** What happens, and in the end how many events there were. */
const scenarios: Readonly<Record<string, (world: World) => Promise<number>>> = {
  'lines that were there before the start': async ({ file, start }) => {
    await writeFile(file, lines(1, 700));
    await start();
    return 700;
  },

  'appended in pieces that end in the middle of lines': async ({ file, start, shows }) => {
    await writeFile(file, lines(1, 5));
    await start();
    await shows(5);
    await appendTorn(file, lines(6, 60));
    return 60;
  },

  'half a line, a pause, the rest': async ({ file, start, shows, exporter }) => {
    await writeFile(file, lines(1, 3));
    await start();
    await shows(3);
    const next = lines(4, 5);
    await appendFile(file, next.slice(0, 300));
    await vi.waitFor(async () => {
      expect(await valueOf(exporter(), 'exchange_exporter_source_lag_bytes')).toBe(300);
    }, patience);
    await appendFile(file, next.slice(300));
    return 5;
  },

  'a restart, with events written while down': async ({ file, start, stop, shows }) => {
    await writeFile(file, lines(1, 100));
    await start();
    await shows(100);
    await stop();
    await appendFile(file, lines(101, 300));
    await start();
    await shows(300);
    await appendFile(file, lines(301, 320));
    return 320;
  },

  'kill -9 under load': async ({ file, start, kill9 }) => {
    await writeFile(file, '');
    await start();
    for (let burst = 0; burst < 30; burst++) {
      await appendTorn(file, lines(burst * 40 + 1, burst * 40 + 40), 9000);
      if (burst % 10 === 7) {
        await kill9();
        await start();
      }
      // The pace of the load, not a wait: it is killed in the midst of reading.
      await pause(20);
    }
    return 1200;
  },

  'renamed, late lines to the old file, a new file': async ({ file, start, shows }) => {
    await writeFile(file, lines(1, 50));
    await start();
    await shows(50);
    await rename(file, `${file}.1`);
    await appendFile(`${file}.1`, lines(51, 60));
    await writeFile(file, lines(61, 70));
    await shows(70);
    await appendFile(`${file}.1`, lines(71, 75));
    return 75;
  },

  'the name alone is read, and the file is renamed out of its sight': async ({ file, start, shows, exporter }) => {
    await writeFile(file, lines(1, 50));
    await start([file]);
    await shows(50);
    await rename(file, `${file}.1`);
    await misses(exporter());
    await appendFile(`${file}.1`, lines(51, 60));
    await writeFile(file, lines(61, 70));
    return 70;
  },

  'renamed three times in a burst': async ({ file, start, shows }) => {
    await writeFile(file, lines(1, 10));
    await start();
    await shows(10);
    for (let turn = 1; turn <= 3; turn++) {
      await appendFile(file, lines(turn * 100 + 1, turn * 100 + 40));
      for (let age = 3; age > 0; age--) {
        await rename(age === 1 ? file : `${file}.${age - 1}`, `${file}.${age}`).catch(() => undefined);
      }
    }
    await writeFile(file, lines(401, 440));
    return 10 + 4 * 40;
  },

  'renamed while down': async ({ file, start, stop, shows }) => {
    await writeFile(file, lines(1, 50));
    await start();
    await shows(50);
    await stop();
    await appendFile(file, lines(51, 80));
    await rename(file, `${file}.1`);
    await writeFile(file, lines(81, 90));
    await start();
    return 90;
  },

  'truncated, then smaller': async ({ file, start, shows }) => {
    await writeFile(file, lines(1, 60));
    await start();
    await shows(60);
    await copyFile(file, `${file}.copy`);
    await truncate(file, 0);
    await appendFile(file, lines(61, 75));
    return 75;
  },

  'truncated, then longer than before': async ({ file, start, shows }) => {
    await writeFile(file, lines(1, 60));
    await start();
    await shows(60);
    await truncate(file, 0);
    await appendFile(file, lines(61, 260));
    return 260;
  },

  'truncated and longer while down': async ({ file, start, kill9, shows }) => {
    await writeFile(file, lines(1, 60));
    await start();
    await shows(60);
    await kill9();
    await truncate(file, 0);
    await appendFile(file, lines(61, 260));
    await start();
    return 260;
  },

  'replaced in one step': async ({ file, start, shows }) => {
    await writeFile(file, lines(1, 60));
    await start();
    await shows(60);
    for (let turn = 1; turn <= 5; turn++) {
      await writeFile(`${file}.tmp`, lines(turn * 100, turn * 100 + 29));
      await rename(`${file}.tmp`, file);
      await shows(60 + turn * 30);
    }
    return 210;
  },

  'deleted and made anew with the same inode': async ({ file, start, stop, shows }) => {
    await writeFile(file, lines(1, 60));
    await start();
    await shows(60);
    await stop();
    await takeSameInode(file, lines(61, 160));
    await start();
    return 160;
  },

  'a folder that appears later': async ({ folder, start, shows, exporter }) => {
    const later = path.join(folder, 'a', 'b');
    await start([later]);
    await misses(exporter());
    await mkdir(later, { recursive: true });
    await writeFile(path.join(later, 'events.ndjson'), lines(1, 20));
    await shows(20);
    await rm(path.join(folder, 'a'), { recursive: true });
    await misses(exporter());
    await mkdir(later, { recursive: true });
    await writeFile(path.join(later, 'events.ndjson'), lines(21, 50));
    return 50;
  },

  'hundreds of files': async ({ folder, start, shows }) => {
    const name = (n: number): string => path.join(folder, `${n}.ndjson`);
    for (let n = 0; n < 300; n++) await writeFile(name(n), lines(n * 10 + 1, n * 10 + 3));
    await start();
    await shows(900);
    for (let n = 0; n < 300; n++) await appendFile(name(n), lines(n * 10 + 4, n * 10 + 5));
    for (let n = 300; n < 400; n++) await writeFile(name(n), lines(n * 10 + 1, n * 10 + 3));
    return 300 * 5 + 100 * 3;
  },

  'files that vanish while they are read': async ({ folder, start, shows }) => {
    const names = Array.from({ length: 20 }, (_, n) => path.join(folder, `${n}.ndjson`));
    await start();
    for (const [n, name] of names.entries()) await writeFile(name, lines(n * 100 + 1, n * 100 + 10));
    await shows(200);
    // They are open by now: what is written before the name is gone is read.
    for (const [n, name] of names.entries()) {
      await appendFile(name, lines(n * 100 + 11, n * 100 + 20));
      await rm(name);
    }
    return 400;
  },

  'a file without permission that becomes readable': async ({ file, start, exporter, shows }) => {
    const other = `${file}.other`;
    await writeFile(file, lines(1, 20));
    await writeFile(other, lines(21, 30));
    await chmod(file, 0);
    await start([file, other], process.getuid?.() === 0 ? { uid: 65_534 } : {});
    await shows(10);
    expect((await exporter().page('/')).body).toContain('permission denied');
    expect(await exporter().scrape()).toContain(`exchange_exporter_source_up{source="${file}"} 0`);
    await chmod(file, 0o644);
    return 30;
  },

  'a batch that is shipped again': async ({ file, start, shows }) => {
    await writeFile(file, lines(1, 40));
    await start();
    await shows(40);
    await appendFile(file, lines(21, 60) + lines(41, 60) + lines(1, 70));
    return 70;
  },

  'an export that overlaps the one of yesterday': async ({ folder, start, stop, shows }) => {
    await writeFile(path.join(folder, 'monday.ndjson'), lines(1, 100));
    await start();
    await shows(100);
    await stop();
    await writeFile(path.join(folder, 'tuesday.ndjson'), lines(51, 180));
    await start();
    return 180;
  },

  'the same events in .evtx, XML and NDJSON': async ({ folder, start, shows }) => {
    const log = createLog();
    for (let id = 1; id <= 150; id++) {
      addEvent(log, {
        eventId: 2002,
        computer: 'EXCH01.contoso.local',
        time: timeOf(id),
        strings: ['Outbound', 'a:25'],
      });
    }
    await writeFile(path.join(folder, 'a.evtx'), imageOf(log));
    await start();
    await shows(150);
    await writeFile(path.join(folder, 'b.ndjson'), lines(1, 160));
    await shows(160);
    await writeFile(path.join(folder, 'c.xml'), Array.from({ length: 170 }, (_, n) => xmlEvent(n + 1)).join(''));
    return 170;
  },

  'a cleared log, which numbers anew': async ({ file, start, stop, shows }) => {
    const cleared = (from: number, to: number): string =>
      Array.from({ length: to - from + 1 }, (_, n) => line(from + n, { at: new Date(timeOf(2000 + from + n)) })).join(
        '',
      );
    await writeFile(file, lines(1, 100));
    await start();
    await shows(100);
    await appendFile(file, cleared(1, 60));
    await shows(160);
    await stop();
    await appendFile(file, cleared(41, 130));
    await start();
    return 230;
  },

  'UTF-16 with a byte order mark, appended within a character': async ({ file, start, shows }) => {
    const bytes = Buffer.from(`\uFEFF${lines(1, 40, { connector: 'Büro → Außen' })}`, 'utf16le');
    await writeFile(file, bytes.subarray(0, 20_001));
    await start();
    await shows(bytes.subarray(0, 20_001).toString('utf16le').split('\n').length - 1);
    await appendFile(file, bytes.subarray(20_001));
    await shows(40);
    await appendFile(file, Buffer.from(lines(41, 50), 'utf16le'));
    return 50;
  },

  'lines that end with CR LF': async ({ file, start, shows }) => {
    await writeFile(file, lines(1, 30).replaceAll('\n', '\r\n'));
    await start();
    await shows(30);
    await appendTorn(file, lines(31, 60).replaceAll('\n', '\r\n'));
    return 60;
  },

  'keys in random order': async ({ file, start }) => {
    await start();
    await writeFile(file, Array.from({ length: 300 }, (_, n) => shuffled(line(n + 1), n)).join(''));
    return 300;
  },

  'blank, broken and huge lines between': async ({ file, start, shows }) => {
    const noise = ['\n\n  \n', '{"winlog":{"event_id":"2002"\n', 'not json at all\n', '{}\n', '[1,2]\n', '\u0000\n'];
    const huge = `{"winlog":{"event_id":"7"},"message":"${'x'.repeat(3 * 1024 * 1024)}"}\n`;
    await writeFile(file, line(1) + noise.join('') + line(2));
    await start();
    await shows(2);
    for (let n = 3; n <= 40; n++) await appendFile(file, (noise[n % noise.length] ?? '') + line(n));
    await appendTorn(file, huge + lines(41, 50), 500_000);
    return 50;
  },

  'event XML over many lines, torn anywhere': async ({ folder, start, shows }) => {
    const file = path.join(folder, 'events.xml');
    await writeFile(file, '<?xml version="1.0"?>\n<Events>\n');
    await start();
    await appendTorn(file, Array.from({ length: 80 }, (_, n) => xmlEvent(n + 1)).join(''), 331);
    await shows(80);
    await appendFile(file, `${xmlEvent(81)}</Events>\n`);
    return 81;
  },

  'a copy and a second name of what is read': async ({ folder, file, start, shows }) => {
    await writeFile(file, lines(1, 50));
    await start();
    await shows(50);
    await copyFile(file, path.join(folder, 'copy.ndjson'));
    await symlink(file, path.join(folder, 'link.ndjson'));
    await appendFile(file, lines(51, 60));
    await appendFile(path.join(folder, 'copy.ndjson'), lines(51, 70));
    return 70;
  },

  'one file moved from one source to another': async ({ folder, start, stop, shows }) => {
    const [from, to] = [path.join(folder, 'in'), path.join(folder, 'archive')];
    await Promise.all([mkdir(from), mkdir(to)]);
    await writeFile(path.join(from, 'events.ndjson'), lines(1, 50));
    await start([from, to]);
    await shows(50);
    await rename(path.join(from, 'events.ndjson'), path.join(to, 'old.ndjson'));
    await appendFile(path.join(to, 'old.ndjson'), lines(51, 60));
    await shows(60);
    await stop();
    await appendFile(path.join(to, 'old.ndjson'), lines(61, 70));
    await start([from, to]);
    return 70;
  },

  'records without an ID count each time': async ({ file, start, shows }) => {
    const without = lines(1, 10).replaceAll(/"record_id":\d+,/g, '');
    await writeFile(file, without);
    await start();
    await shows(10);
    await appendFile(file, without);
    return 20;
  },

  'two servers and two channels with the same record IDs': async ({ file, start }) => {
    await start();
    const forwarded = lines(1, 20).replaceAll('"channel":"Application"', '"channel":"ForwardedEvents"');
    await writeFile(file, lines(1, 20) + lines(1, 20, { server: 'EXCH02.contoso.local' }) + forwarded);
    return 60;
  },
};

test.concurrent.each(Object.entries(scenarios))('%s', (_name, scenario) => playScenario(scenario), 180_000);

/** Deletes and writes until the system gives the inode again, as most file systems do at once. */
async function takeSameInode(file: string, text: string): Promise<void> {
  const { ino } = await stat(file);
  await rm(file);
  for (let n = 0; n < 200; n++) {
    await writeFile(file, text);
    if ((await stat(file)).ino === ino) return;
    await rename(file, path.join(path.dirname(file), '..', `other-${n}`));
  }
  await writeFile(file, text);
  console.warn('the file system did not give the inode again: only the name is the same');
}

/** The order of the keys of each object turned, as Beats write them. */
function shuffled(text: string, seed: number): string {
  const turn = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, inner]) => [key, turn(inner)] as const);
    const at = seed % entries.length;
    const turned = [...entries.slice(at), ...entries.slice(0, at)];
    return Object.fromEntries(seed % 2 === 0 ? turned : turned.reverse());
  };
  return `${JSON.stringify(turn(JSON.parse(text)))}\n`;
}

function xmlEvent(recordId: number): string {
  return `<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event">
  <System>
    <Provider Name="MSExchangeTransport"/>
    <EventID Qualifiers="32772">2002</EventID>
    <TimeCreated SystemTime="${new Date(timeOf(recordId)).toISOString()}"/>
    <EventRecordID>${recordId}</EventRecordID>
    <Channel>Application</Channel>
    <Computer>EXCH01.contoso.local</Computer>
  </System>
  <EventData><Data>Outbound</Data><Data>203.0.113.9:25</Data></EventData>
</Event>
`;
}
