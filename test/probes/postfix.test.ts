import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { demoAuthority } from '../../src/commands/demo/smtp-talk.js';
import { freePort } from '../../src/commands/demo/free-port.js';
import { checkingDomain, logOnceIt, passesEveryWay, visitPeer } from './peer.js';
import { hasProgram } from '../support/programs.js';

/** Postfix starts as root only, and becomes less by itself. */
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('SKIPPED: Postfix can be started by root only');

describe.skipIf(!hasProgram('postfix') || !isRoot)('a real Postfix', { timeout: 120_000 }, () => {
  let folder: string;
  let port: number;
  const logFile = (): string => join(folder, 'mail.log');
  const postfix = (word: string): void => {
    const { status, stdout, stderr } = spawnSync('postfix', ['-c', join(folder, 'conf'), word], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`postfix ${word}: ${stdout}${stderr}`);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postfix-'));
    await chmod(folder, 0o755);
    for (const name of ['conf', 'queue', 'data']) await mkdir(join(folder, name));
    spawnSync('chown', ['postfix', join(folder, 'data')]);
    port = await freePort(0);
    const { cert, key } = demoAuthority().issue(['mail.contoso.example']);
    await writeFile(join(folder, 'conf/cert.pem'), `${key}\n${cert}`, { mode: 0o600 });
    await writeFile(join(folder, 'conf/main.cf'), mainCf(folder));
    await writeFile(join(folder, 'conf/master.cf'), masterCf(port));
    postfix('start');
  }, 120_000);
  afterAll(async () => {
    postfix('stop');
    await rm(folder, { recursive: true });
  });

  test('is visited in every way of a Send connector, and logs no error of protocol', async () => {
    await passesEveryWay(port);
    expect(await visitPeer(port, { ...checkingDomain, tlsDomain: 'mail.fabrikam.example' })).toMatchObject({
      success: false,
      reason: 'certificate_name_mismatch',
    });
    const log = await logOnceIt(() => readFile(logFile(), 'utf8'), /disconnect from .* quit=1 /g, 5);
    const complaints = log
      .split('\n')
      .filter((line) => /warning|error|lost connection|timeout|improper|fatal|mail=|rcpt=/i.test(line));
    expect(complaints).toEqual([]);
  });
});

function mainCf(folder: string): string {
  return `compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = ${folder}/mail.log
maillog_file_prefixes = ${folder}
myhostname = mail.contoso.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
default_transport = error:this server delivers nothing
relay_transport = error:this server delivers nothing
smtputf8_enable = no
smtpd_peername_lookup = no
smtpd_tls_chain_files = ${folder}/conf/cert.pem
smtpd_tls_security_level = may
`;
}

function masterCf(port: number): string {
  return `127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
error unix - - n - - error
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`;
}
