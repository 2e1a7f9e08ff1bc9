/** What is asked of the inlets while they are being opened. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createBoard } from '../../src/board/board.js';
import { loadConfig, type Config } from '../../src/config/config.js';
import { createPolicy } from '../../src/probes/policy.js';
import { createTargets } from '../../src/probes/targets.js';
import { ask, changeOver, closeInlets } from '../../src/wiring/inlets.js';
import { openBooks } from '../../src/wiring/open-ledger.js';
import type { Inlets } from '../../src/wiring/parts.js';
import { playScript } from '../probes/scripted-server.js';
import { temporaryFolder } from '../support/folder.js';
import { silentLog } from '../support/log-double.js';

async function configOf(...lines: string[]): Promise<Config> {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'config.yml');
  await writeFile(file, [`state: { directory: '${path.join(folder, 'state')}' }`, ...lines].join('\n'));
  const loaded = await loadConfig({ file }, { platform: 'linux', env: {} });
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  return loaded.config;
}

/** An exporter of which nothing is open yet but its books. */
async function booksOf(config: Config) {
  const inlets: Inlets = { policy: createPolicy(config.probe) };
  const targets = createTargets({ limit: config.destinations.limit });
  const ledger = await openBooks(config, silentLog, targets, inlets);
  onTestFinished(async () => {
    await closeInlets(inlets);
    await ledger.close();
  });
  return { inlets, targets, parts: { ledger, targets, board: createBoard(), log: silentLog } };
}

async function refusing(): Promise<{ readonly destination: string; readonly port: number }> {
  const server = await playScript((peer) => peer.say('554 no\r\n'));
  onTestFinished(server.close);
  return server;
}

test('15, 1.5: /probe of a known destination waits for the start, and has its answer from the first visit', async () => {
  const { destination, port } = await refusing();
  const config = await configOf(
    `destinations: { static: ['${destination}'] }`,
    `probe: { allow: [127.0.0.0/8], ports: [${port}] }`,
  );
  const { inlets, targets, parts } = await booksOf(config);
  const opening = changeOver(inlets, config, parts);
  const answers = await Promise.all([
    ask(inlets, targets, destination, 10_000),
    ask(inlets, targets, '127.0.0.1:9', 10_000),
  ]);
  expect(answers).toMatchObject([{ destination, success: false, reason: 'banner_5xx' }, undefined]);
  await opening;
  expect(inlets.opening).toBeUndefined();
});

test('15, 1.5: one that is asked for while the start goes on has failed, and is not unknown', async () => {
  const config = await configOf(`destinations: { static: ['127.0.0.1:2525'] }`, 'probe: { allow: [127.0.0.0/8] }');
  const { inlets, targets } = await booksOf(config);
  targets.setConfigured(config.destinations.static);
  Object.assign(inlets, { config, opening: new Promise(() => undefined) });
  const answer = await ask(inlets, targets, '127.0.0.1:2525', 20);
  expect(answer).toMatchObject({ destination: '127.0.0.1:2525', success: false, failedStep: 'tcp', reason: 'timeout' });
  expect(answer?.transcript[0]?.text).toBe('the first visit has not begun: the exporter is starting');
  expect(await ask(inlets, targets, '127.0.0.1:9', 20)).toBeUndefined();
});

test('15, 1.5: without probing no destination has an answer, neither at the start nor later', async () => {
  const config = await configOf(`destinations: { static: ['127.0.0.1:2525'] }`, 'probe: { enabled: false }');
  const { inlets, targets, parts } = await booksOf(config);
  const opening = changeOver(inlets, config, parts);
  expect(await ask(inlets, targets, '127.0.0.1:2525', 10_000)).toBeUndefined();
  await opening;
  expect(await ask(inlets, targets, '127.0.0.1:2525', 10_000)).toBeUndefined();
});
