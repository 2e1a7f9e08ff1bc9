/**
 * The Debian package in a Debian that has booted with systemd: installed with a service that answers, reloaded, upgraded, on a
 * port that is taken, disabled, purged. Wants root. Ends with 1 when a step fails.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildDeb } from '../packaging/deb.mjs';
import { bootRoot } from './booted-root.mjs';
import { freshRoot, write } from './debian.mjs';
import { expect, step, until } from './steps.mjs';

const name = 'send-connector-exporter';

export async function run() {
  const folder = mkdtempSync(path.join(tmpdir(), 'booted-'));
  try {
    const packages = [await buildDeb({ folder }), await buildDeb({ folder, version: '99.0.0' })];
    const root = freshRoot(folder);
    for (const file of packages) execFileSync('cp', [file, path.join(root, 'root')]);
    const machine = await step('a Debian boots', () => bootRoot(root));
    try {
      await prove({ ...machine, spool: path.join(root, `var/spool/${name}`), records: 0, root }, packages.map(placeOf));
    } finally {
      await machine.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const placeOf = (file) => `/root/${path.basename(file)}`;

async function prove(machine, [first, next]) {
  const { run: inside } = machine;
  const install = (file) => inside('dpkg', '--install', file);
  const show = (property) => inside('systemctl', 'show', '--value', '-p', property, name).trim();
  const counted = (count) => until(`${count} events count`, async () => count === countIn(inside), 30_000);
  await step('one command installs it, and the service counts what lies in its folder', async () => {
    install(first);
    write(machine, 30);
    await counted(30);
    expect(
      show('User') === name && show('NRestarts') === '0',
      `${show('User')}, started again ${show('NRestarts')} times`,
    );
  });
  await step('reload reads the configuration again', async () => {
    inside('systemctl', 'reload', name);
    await until('the log says so', async () => journal(inside).includes('the configuration was read again'), 10_000);
  });
  await step('an upgrade starts it again and loses no count', async () => {
    const before = show('MainPID');
    install(next);
    write(machine, 5);
    await counted(35);
    expect(show('MainPID') !== before && show('ActiveState') === 'active', 'not started again');
  });
  await step('a stop ends with 0', () => {
    inside('systemctl', 'stop', name);
    expect(
      show('Result') === 'success' && show('ExecMainStatus') === '0',
      `${show('Result')} ${show('ExecMainStatus')}`,
    );
  });
  await step(
    'on a port that is taken the installation succeeds, the log says why, and it starts once the port is free',
    async () => {
      inside('systemd-run', '--unit=holder', 'node', '-e', 'require("net").createServer().listen(10202)');
      await until('the port is taken', async () => inside('systemctl', 'is-active', 'holder').trim() === 'active');
      install(next);
      await until('the log says so', async () => journal(inside).includes('another program listens there already'));
      inside('systemctl', 'stop', 'holder');
      await counted(35);
    },
  );
  await step('what was disabled stays so after an upgrade', () => {
    inside('systemctl', 'disable', '--now', name);
    install(next);
    const isEnabled = inside('sh', '-c', `systemctl is-enabled ${name} || true`).trim();
    expect(isEnabled === 'disabled' && show('ActiveState') === 'inactive', `${isEnabled}, ${show('ActiveState')}`);
  });
  await step('a purge stops it and leaves nothing', () => {
    inside('systemctl', 'enable', '--now', name);
    inside('dpkg', '--purge', name);
    expect(!existsSync(path.join(machine.root, `var/lib/${name}`)), 'the state is still there');
    expect(
      inside('sh', '-c', `systemctl list-units --all --plain --no-legend ${name}.service`).trim() === '',
      'a unit is left',
    );
  });
}

function countIn(inside) {
  const ask = "fetch('http://127.0.0.1:10202/metrics').then(async (answer) => console.log(await answer.text()))";
  const text = inside('node', '-e', ask);
  return Number(/^exchange_send_connector_connection_errors_total\{.*\} (\d+)$/m.exec(text)?.[1]);
}

function journal(inside) {
  return inside('journalctl', '--no-pager', '--output=cat', `--unit=${name}`);
}
