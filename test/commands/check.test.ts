/** The command `check`: exit code and words for a configuration, a web configuration and an inventory. */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { builtProgram } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';

async function check(files: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  const { status, stdout, stderr } = spawnSync(process.execPath, [builtProgram, 'check', 'config.yml'], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('all valid: each file is a line, and what is not seen is said', async () => {
  const checked = await check({
    'config.yml': 'web: { configFile: web.yml }\ninventory: { file: c.json }\n',
    'web.yml': '',
    'c.json': '[{"Name": "A", "SmartHosts": "a.example", "ProtocolLoggingLevel": 0}]',
  });
  expect(checked).toMatchObject({ status: 0, stderr: '' });
  expect(checked.stdout.split('\n')).toEqual([
    'config.yml: valid (0 sources, 0 configured destinations, probing on)',
    'web.yml: valid (plain HTTP, 0 users)',
    'c.json: valid (1 Send connectors, 1 smart hosts of enabled ones)',
    expect.stringContaining('  A: failures after the connect'),
    expect.stringContaining('  event levels: the inventory does not tell'),
    '',
  ]);
});

test('what is wrong in any of them is told, and the exit code is 1', async () => {
  const checked = await check({
    'config.yml': 'web: { configFile: web.yml }\ninventory: { file: c.json }\n',
    'web.yml': 'users: {}',
    'c.json': '[{}]',
  });
  expect(checked.status).toBe(1);
  expect(checked.stderr).toContain('web.yml:1: users: expected one of tls_server_config');
  expect(checked.stderr).toContain('c.json: connector 1, Name: expected a name');
});

test('19.2 a secret that is missing is told with its line and its source, and the file is not called valid', async () => {
  const checked = await check({
    'config.yml': `sources:
  - type: http
    bearerTokenFile: token
  - type: lumberjack
    tls:
      cert: c.pem
      key: k.pem
`,
    'c.pem': 'hello',
  });
  expect(checked).toMatchObject({ status: 1, stdout: '' });
  expect(checked.stderr.split('\n')).toEqual([
    expect.stringMatching(
      /^config\.yml:3: sources\[0\]\.bearerTokenFile: token: expected a readable file with a token/,
    ),
    'config.yml:7: sources[1].tls.key: k.pem: is not there; correct the path, or create the file',
    '',
  ]);
});
