import { afterEach, expect, test } from 'vitest';
import { withoutStartTls, type SmtpServer } from '../../src/commands/demo/smtp-servers.js';
import { createBoard } from '../../src/board.js';
import { createPolicy } from '../../src/probes/policy.js';
import { createProber } from '../../src/probes/probe.js';
import { startProbing } from '../../src/probes/probing.js';
import { createTargets } from '../../src/probes/targets.js';
import { silentLog } from '../log-double.js';

let server: SmtpServer | undefined;
afterEach(() => server?.close());

test('whoever asks gets the latest visit, a new one only when it is due, and nothing of strangers', async () => {
  server = await withoutStartTls();
  const board = createBoard();
  const targets = createTargets({ configured: [server.destination] });
  const probing = startProbing({
    config: { interval: 3600_000, observedInterval: 3600_000, concurrency: 4 } as never,
    prober: createProber({ policy: createPolicy({ allow: ['127.0.0.0/8'], ports: ['1-65535'] }) }),
    targets,
    ...{ post: board.post, latest: board.latest, postPing: board.postPing, postPath: board.postPath },
    log: silentLog,
  });
  const [first, second] = await Promise.all([probing.askNow(server.destination), probing.askNow(server.destination)]);
  expect(first).toMatchObject({ success: true });
  expect(second).toBe(first);
  expect(await probing.askNow(server.destination)).toBe(board.latest(server.destination));
  expect(await probing.askNow('127.0.0.1:1')).toBeUndefined();
  await probing.stop();
  expect(server.connections()).toBeLessThanOrEqual(2);
});
