/** A Debian to install packages in (debootstrap, kept between runs), and what a shipper writes there. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const release = 'trixie';
const cache = process.env.EXPORTER_BUILD_CACHE ?? path.join(tmpdir(), 'send-connector-exporter-build');

/** Debian with its own nodejs and systemd, which the package depends on. */
export function freshRoot(folder) {
  const kept = path.join(cache, `${release}-root.tar`);
  if (!existsSync(kept)) {
    const made = path.join(folder, 'made');
    const include = '--include=nodejs,systemd,iputils-ping';
    execFileSync('debootstrap', ['--variant=minbase', include, release, made], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    mkdirSync(cache, { recursive: true });
    // Aside and renamed: an end in between leaves nothing half done.
    execFileSync('tar', ['--numeric-owner', '--exclude=./var/cache/apt', '-cf', `${kept}.new`, '-C', made, '.']);
    renameSync(`${kept}.new`, kept);
  }
  const root = path.join(folder, 'root');
  mkdirSync(root);
  execFileSync('tar', ['--numeric-owner', '-xf', kept, '-C', root]);
  return root;
}

/** Exports events 2002, as a shipper would. @param machine its folder `spool`, and how many `records` it has so far */
export function write(machine, count) {
  for (let end = machine.records + count; machine.records < end;) {
    machine.records++;
    const of = {
      channel: 'Application',
      provider_name: 'MSExchangeTransport',
      event_id: '2002',
      computer_name: 'exch01',
    };
    const event_data = { param1: 'Outbound', param2: '203.0.113.25:25' };
    const record = {
      '@timestamp': new Date().toISOString(),
      winlog: { ...of, record_id: machine.records, event_data },
    };
    appendFileSync(path.join(machine.spool, 'exported.ndjson'), `${JSON.stringify(record)}\n`);
  }
}
