import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../src/commands/demo/free-port.js';
import { demoAuthority } from '../../src/commands/demo/smtp-talk.js';
import { logOnceIt, passesEveryWay } from './peer.js';

/** Where .ci/run unpacks it, for Debian installs one mail server at a time; or where Debian puts it. */
const program = ['/opt/exim4/usr/sbin/exim4', '/usr/sbin/exim4'].find((path) => existsSync(path));
/** Exim takes a configuration of ours from root only, and becomes less by itself. */
const isRoot = process.getuid?.() === 0;
if (!program && process.env.CI === 'true' && isRoot) throw new Error('exim4 is not there (see .ci/run)');
if (!program || !isRoot) console.warn('SKIPPED: no exim4, or not root');

describe.skipIf(!program || !isRoot)('a real Exim', { timeout: 120_000 }, () => {
  let folder: string;
  let port: number;
  let exim: ChildProcess | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'exim-'));
    await chmod(folder, 0o755);
    for (const name of ['spool', 'log']) await mkdir(join(folder, name));
    port = await freePort(0);
    const { cert, key } = demoAuthority().issue(['mail.contoso.example']);
    await writeFile(join(folder, 'cert.pem'), `${key}\n${cert}`);
    await writeFile(join(folder, 'exim.conf'), configOf(folder, port));
    const owned = ['spool', 'log', 'cert.pem'].map((name) => join(folder, name));
    expect(spawnSync('chown', ['-R', 'Debian-exim', ...owned]).status).toBe(0);
    exim = spawn(program!, ['-C', join(folder, 'exim.conf'), '-bdf'], { stdio: 'ignore' });
  }, 120_000);
  afterAll(async () => {
    if (exim?.exitCode === null) {
      const ended = once(exim, 'exit');
      exim.kill('SIGTERM');
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  });

  test('is visited in every way of a Send connector, and logs no error of protocol', async () => {
    await passesEveryWay(port);
    const log = await logOnceIt(() => readFile(join(folder, 'log/mainlog'), 'utf8'), /closed by QUIT/g, 4);
    expect(log.split('\n').filter((line) => /error|lost|unexpected|timeout|warning|rejected/i.test(line))).toEqual([]);
  });
});

function configOf(folder: string, port: number): string {
  return `primary_hostname = mail.contoso.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
pid_file_path = ${folder}/exim.pid
tls_advertise_hosts = *
tls_certificate = ${folder}/cert.pem
tls_privatekey = ${folder}/cert.pem
keep_environment =
host_lookup =
rfc1413_hosts =
acl_smtp_mail = deny
acl_smtp_rcpt = deny
log_selector = +smtp_connection +smtp_protocol_error +smtp_syntax_error
`;
}
