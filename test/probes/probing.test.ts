import { afterEach, describe, expect, it } from 'vitest';
import { silent, withoutStartTls } from '../../src/commands/demo/smtp-servers.js';
import type { SmtpServer } from '../../src/commands/demo/smtp-talk.js';
import { createBoard, type Board } from '../../src/board/board.js';
import { createPolicy } from '../../src/probes/policy.js';
import { createProber, type ProberOptions } from '../../src/probes/visit.js';
import { startProbing, type Probing } from '../../src/probes/probing.js';
import { createTargets } from '../../src/probes/targets.js';
import { startDnsServer } from '../support/dns-server.js';
import { silentLog } from '../support/log-double.js';

const servers: SmtpServer[] = [];
let probing: Probing | undefined;
afterEach(async () => {
  await probing?.stop();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(starting: Promise<SmtpServer>): Promise<SmtpServer> {
  const server = await starting;
  servers.push(server);
  return server;
}

type World = { readonly board: Board; readonly ask: Probing['ask'] };

function probingOf(destinations: readonly string[], options: Partial<ProberOptions> = {}, interval = 3600_000): World {
  const board = createBoard();
  const { post, latest, postPing, postPath } = board;
  probing = startProbing({
    config: { interval, observedInterval: interval, concurrency: 4 } as never,
    prober: createProber({
      policy: createPolicy({ allow: ['127.0.0.0/8'], ports: ['1-65535'] }),
      ehloName: 'probe.contoso.example',
      ...options,
    }),
    targets: createTargets({ configured: destinations }),
    ...{ post, latest, postPing, postPath, log: silentLog },
  });
  return { board, ask: probing.ask };
}

describe('1.5: /probe shares the visits of the schedule', () => {
  it('gives the latest visit or the first one to all who ask, and nothing of strangers', async () => {
    const server = await start(withoutStartTls());
    // The hour of its interval is not over: asked for, the first visit is made at once, and it is the schedule's own.
    const others = Array.from({ length: 300 }, (_, index) => `127.1.${index % 200}.1:9`);
    const { board, ask } = probingOf([...others, server.destination]);
    const answers = await Promise.all([1, 2, 3].map(() => ask(server.destination, 20_000)));
    for (const answer of answers) expect(answer).toBe(board.latest(server.destination));
    expect(answers[0]).toMatchObject({ success: true });
    expect(await ask(server.destination, 20_000)).toBe(answers[0]);
    expect(await ask('127.0.0.1:1', 20_000)).toBeUndefined();
    expect(server.connections()).toBe(1);
  });

  it('a server that accepts and is silent is 0 with the reason within the time given, and is not visited more for it', async () => {
    const server = await start(silent());
    const { board, ask } = probingOf([server.destination]);
    for (let scrape = 0; scrape < 5; scrape += 1) {
      const begun = performance.now();
      const answer = await ask(server.destination, scrape === 0 ? 4_000 : 100);
      expect(performance.now() - begun).toBeLessThan(5_000);
      expect(answer).toMatchObject({ success: false, failedStep: 'banner', reason: 'banner_timeout' });
      expect(answer?.steps.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual(['tcp passed', 'banner failed']);
    }
    expect(server.connections()).toBe(1);
    // What is only under way is no result: it is not counted.
    expect(board.latest(server.destination)).toBeUndefined();
  });

  it('once a visit has ended it answers at once, also while the next one is under way', async () => {
    const server = await start(silent());
    const { board, ask } = probingOf([server.destination], { limits: { bannerMs: 300 } }, 500);
    await expect.poll(() => board.latest(server.destination)?.reason, { timeout: 20_000 }).toBe('banner_timeout');
    const before = server.connections();
    for (let scrape = 0; scrape < 20; scrape += 1) {
      expect(await ask(server.destination, 1_000)).toMatchObject({ success: false, reason: 'banner_timeout' });
    }
    expect(server.connections() - before).toBeLessThan(20);
  });

  it('a name tells of the address that its visit went to; its visit under way has a reason too', async () => {
    const server = await start(withoutStartTls());
    const quiet = await start(silent());
    const dns = await startDnsServer({ 'c.example A': ['127.0.0.1'], 'slow.example MX': 'silent' });
    const names = { servers: [dns.server], hostsFile: '/dev/null', timeoutMs: 5_000 };
    const destinations = [`c.example:${server.port}`, `c.example:${quiet.port}`, 'slow.example:2525'];
    const { ask } = probingOf(destinations, { names });
    const good = await ask(destinations[0]!, 20_000);
    expect(good).toMatchObject({ success: true, facts: { address: '127.0.0.1', addresses: ['127.0.0.1'] } });
    expect(good?.steps.map(({ step }) => step)).toEqual(['dns', 'tcp', 'banner', 'ehlo', 'starttls', 'quit']);
    await expect
      .poll(async () => (await ask(destinations[1]!, 50))?.reason, { timeout: 20_000 })
      .toBe('banner_timeout');
    const unresolved = await ask(destinations[2]!, 50);
    expect(unresolved).toMatchObject({ success: false, failedStep: 'dns', reason: 'name_timeout' });
    dns.close();
  });
});
