import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import * as servers from '../../src/commands/demo/smtp-servers.js';
import type { SmtpServer } from '../../src/commands/demo/smtp-talk.js';
import type { PathReport, PingReport, ProbeResult } from '../../src/model/probes.js';
import { builtProgram, loopbackOnly } from '../support/exporter.js';
import { exporterFinds } from '../support/programs.js';

let server: SmtpServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const allowed = ['--probe.allow=127.0.0.0/8', '--probe.ports=1-65535'];

async function probe(...words: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [...loopbackOnly, builtProgram, 'probe', ...words]);
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (texts.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (texts.stderr += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...texts };
}

test('prints every step, line, ping and hop, and exits with 0', { timeout: 120_000 }, async () => {
  server = await servers.withoutStartTls();
  const { code, stdout, stderr } = await probe(...allowed, server.destination);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const step of ['tcp', 'banner', 'ehlo', 'quit']) expect(stdout).toMatch(new RegExp(`${step} +passed after`));
  expect(stdout).toMatch(/starttls +failed: starttls_not_offered/);
  expect(stdout).toMatch(/ms > EHLO \S+\n +\d+ ms < 250-/);
  expect(stdout).toContain(`PASSED ${server.destination} (warning: starttls: starttls_not_offered)`);
  if (exporterFinds('ping')) expect(stdout).toContain('5 of 5 echoes came back');
  if (exporterFinds('mtr'))
    expect(stdout).toMatch(/\n +1 {2}127\.0\.0\.1 +0 % lost .*\nthe destination answered \(mtr\)\n/);
});

test('exits with 1 when it fails, and gives it all as JSON', { timeout: 120_000 }, async () => {
  server = await servers.rude();
  const { code, stdout } = await probe(...allowed, '--json', '--no-path', server.destination);
  expect(code).toBe(1);
  const document = JSON.parse(stdout) as {
    results: ProbeResult[];
    network: Record<string, { ping: PingReport; path?: PathReport }>;
  };
  expect(document.results).toMatchObject([{ success: false, failedStep: 'banner', reason: 'banner_5xx' }]);
  expect(document.network[server.destination]?.ping.program).toBe(exporterFinds('ping') ? 'ping' : '');
  expect(document.network[server.destination]?.path).toBeUndefined();
});

test('ends early with --quit-after', async () => {
  server = await servers.rude();
  const { code, stdout } = await probe(...allowed, '--quit-after=tcp', '--no-path', server.destination);
  expect(code).toBe(0);
  expect(stdout).toMatch(/tcp +passed after/);
  expect(stdout).not.toContain('banner');
  expect(await probe('--quit-after=starttls', server.destination)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Allowed choices are tcp, banner, ehlo') as string,
  });
});

test('connects nowhere that policy forbids, says what would allow it and exits with 2, for it was not asked', async () => {
  server = await servers.healthy();
  const { code, stdout } = await probe('--probe.ports=1-65535', server.destination);
  expect(code).toBe(2);
  expect(stdout).toContain('tcp: blocked_by_policy');
  expect(stdout).toContain('unless probe.allow names it');
  expect(stdout).not.toContain('ping');
  expect(server.connections()).toBe(0);
});

test('exits with 2 when it cannot be asked', async () => {
  expect(await probe('http://x/')).toEqual({
    code: 2,
    stdout: '',
    stderr: 'expected HOST or HOST:PORT, got: http://x/\n',
  });
  expect(await probe('--probe.allow=x', '127.0.0.1')).toMatchObject({ code: 2 });
  expect(await probe('--config.file=/nowhere.yml', '127.0.0.1')).toMatchObject({ code: 2 });
});

test('1.8: `probe ... | head` ends without a stack, as every command does', async () => {
  for (const words of [['probe', '127.0.0.1:1', '--no-path', ...allowed], ['--help'], ['doctor', '--no-probe']]) {
    const child = spawn(process.execPath, [...loopbackOnly, builtProgram, ...words]);
    // The reader has gone before the first line is written.
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk) => (stderr += String(chunk)));
    const [, signal] = (await once(child, 'close')) as [number | null, string | null];
    expect({ words, stderr, signal }).toEqual({ words, stderr: '', signal: null });
  }
});
