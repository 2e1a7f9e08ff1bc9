/**
 * The Debian package in a Debian of its own (debootstrap, kept between runs): built twice, checked by lintian, installed, run
 * by its account, upgraded, started where the port is taken, removed, installed again, purged. Wants root. Ends with 1 when a
 * step fails.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildDeb } from '../packaging/deb.mjs';
import { freshRoot, write } from './debian.mjs';
import { openRoot } from './root.mjs';
import { expect, freePort, step, until } from './steps.mjs';

const name = 'send-connector-exporter';

export async function run() {
  const folder = mkdtempSync(path.join(tmpdir(), 'debian-'));
  try {
    await prove(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function build(folder) {
  const [first, again, next] = [path.join(folder, 'first'), path.join(folder, 'again'), path.join(folder, 'next')];
  const deb = await step('the package is built', () => buildDeb({ folder: first }));
  await step('built again it has the same bytes', async () => {
    const other = await buildDeb({ folder: again });
    expect(readFileSync(other).equals(readFileSync(deb)), `${deb} and ${other} differ`);
  });
  await step('lintian has nothing to say that no override explains', () => {
    const said = execFileSync('lintian', ['--fail-on', 'none', '--allow-root', deb], { encoding: 'utf8' });
    expect(!/^[EW]:/m.test(said), said);
  });
  return { deb, next: await buildDeb({ folder: next, version: '99.0.0' }) };
}

async function prove(folder) {
  const { deb, next } = await build(folder);
  const root = await step('a Debian is laid out', () => freshRoot(folder));
  const at = (place) => path.join(root, place);
  const inside = openRoot(root);
  const install = (file) => {
    execFileSync('cp', [file, at('package.deb')]);
    inside.run('dpkg', '--install', '/package.deb');
  };
  const config = at(`etc/${name}/config.yml`);
  const state = at(`var/lib/${name}`);
  await step('it installs: an account of its own, a state folder that is its own, a service that is enabled', () => {
    install(deb);
    const [, , uid, gid, , home, shell] = inside.run('getent', 'passwd', name).trim().split(':');
    expect(Number(uid) > 0 && Number(uid) < 1000 && home === `/var/lib/${name}`, `uid ${uid}, home ${home}`);
    expect(shell.endsWith('nologin'), `shell ${shell}`);
    const { uid: owner, gid: group, mode } = statSync(state);
    expect(
      String(owner) === uid && String(group) === gid && (mode & 0o777) === 0o700,
      `${owner}:${group} ${mode.toString(8)}`,
    );
    expect(existsSync(at('etc/systemd/system/multi-user.target.wants')), 'the service is not enabled');
    inside.run('systemd-analyze', 'verify', `/usr/lib/systemd/system/${name}.service`);
  });
  const machine = { root, inside, spool: at(`var/spool/${name}`), records: 0 };
  write(machine, 30);
  await step('as the unit starts it, with its account: /metrics answers, the events count, SIGTERM ends with 0', () =>
    runOnce(machine, 30),
  );
  await step('an upgrade keeps what was set and what was counted', async () => {
    appendFileSync(config, '\n# a word of the administrator\ndestinations: { limit: 7 }\n');
    const [set, counted] = [readFileSync(config, 'utf8'), readFileSync(path.join(state, 'ledger.json'), 'utf8')];
    install(next);
    expect(inside.run('dpkg-query', '-W', '-f', '${Version}', name) === '99.0.0-1', 'not the new version');
    expect(readFileSync(config, 'utf8') === set, 'the configuration was changed');
    expect(readFileSync(path.join(state, 'ledger.json'), 'utf8') === counted, 'the state was changed');
    write(machine, 5);
    await runOnce(machine, 35);
  });
  await step('where the port is taken the start fails and says so', () => whereThePortIsTaken(machine));
  await step('a start that fails is no failed installation', () => {
    // With a systemd that is there but does not answer, every start fails.
    mkdirSync(at('run/systemd/system'), { recursive: true });
    install(next);
    expect(inside.run('dpkg-query', '-W', '-f', '${db:Status-Status}', name) === 'installed', 'not installed');
    rmSync(at('run/systemd'), { recursive: true });
  });
  await step('a removal takes the program and keeps configuration and state', async () => {
    inside.run('dpkg', '--remove', name);
    expect(!existsSync(at(`usr/bin/${name}`)) && !existsSync(at(`usr/share/${name}`)), 'the program is still there');
    expect(existsSync(config) && existsSync(path.join(state, 'ledger.json')), 'configuration or state is gone');
    install(next);
    expect(inside.run('systemctl', 'is-enabled', name).trim() === 'enabled', 'not enabled again');
    await runOnce(machine, 35);
  });
  await step('a purge takes configuration and state, and leaves exported events', () => {
    inside.run('dpkg', '--purge', name);
    const left = inside.run('find', '/etc', '/var', '/usr', '-name', `*${name}*`, '-not', '-path', '/var/lib/dpkg/*');
    expect(left.trim() === `/var/spool/${name}`, `left behind: ${left}`);
    inside.run('getent', 'passwd', name);
  });
}

/** The command lines of the unit, with its account and its environment, on a port of loopback and without probing. */
function asTheUnit({ root, inside }, port) {
  const unit = readFileSync(path.join(root, `usr/lib/systemd/system/${name}.service`), 'utf8');
  const line = (key) => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)[1].split(' ');
  const account = ['setpriv', `--reuid=${line('User')[0]}`, `--regid=${line('Group')[0]}`, '--clear-groups'];
  const env = ['env', `STATE_DIRECTORY=/var/lib/${name}`, ...line('Environment')];
  const only = [`--web.listen-address=127.0.0.1:${port}`, '--no-probe'];
  inside.run(...account, ...env, ...line('ExecStartPre'));
  return inside.start(...account, ...env, ...line('ExecStart'), ...only);
}

async function runOnce(machine, expected) {
  const port = await freePort();
  const exporter = asTheUnit(machine, port);
  const counted = async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return Number(/^exchange_send_connector_connection_errors_total\{.*\} (\d+)$/m.exec(text)?.[1]) === expected;
  };
  await until(`${expected} events count`, counted, 20_000).catch(({ message }) => {
    exporter.stop();
    throw new Error(`${message}; it said:\n${exporter.log()}`);
  });
  const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${exporter.pid}/status`, 'utf8'))[1];
  expect(uid !== '0', 'it runs as root');
  const code = await exporter.stop();
  expect(code === 0, `it ended with ${code}:\n${exporter.log()}`);
}

async function whereThePortIsTaken(machine) {
  const holder = createServer();
  await new Promise((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address();
  const exporter = asTheUnit(machine, port);
  const code = await exporter.ended;
  await new Promise((resolve) => holder.close(resolve));
  expect(code !== 0 && exporter.log().includes(String(port)), `it ended with ${code}:\n${exporter.log()}`);
}
