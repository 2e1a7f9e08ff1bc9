import { afterEach, beforeEach, expect, it } from 'vitest';
import { openMailWorld, type MailWorld } from '../../../src/commands/demo/mail-world.js';
import { endpointOf } from '../../../src/model/endpoint.js';
import { createPolicy } from '../../../src/probes/policy.js';
import { createProber } from '../../../src/probes/visit.js';

let world: MailWorld;
beforeEach(async () => {
  world = await openMailWorld();
});
afterEach(() => world.close());

it('promises for each server just what a probe finds', async () => {
  const policy = createPolicy({ allow: ['127.0.0.0/8'], ports: ['1-65535'] });
  const prober = createProber({
    policy,
    ehloName: 'probe.contoso.example',
    timeoutMs: 1_000,
    extraCa: world.authority,
  });
  const found = await Promise.all(
    world.servers.map(async ({ destination }) => {
      const { host, port } = endpointOf(destination)!;
      const [result] = await prober.visit(
        { destination, host, port, origin: 'observed' },
        new AbortController().signal,
      );
      return { destination, reason: result?.reason ?? result?.warning?.reason };
    }),
  );
  expect(found).toEqual(
    world.servers.map(({ destination, shows }) => ({ destination, reason: shows.includes(' ') ? undefined : shows })),
  );
});

it('has an outage for every server, but for the ones that the configuration names', () => {
  const failing = new Set(world.outages.map(({ destination }) => destination));
  expect([...failing, ...world.configured].sort()).toEqual(world.servers.map(({ destination }) => destination).sort());
  expect(new Set(world.outages.map(({ computer }) => computer)).size).toBe(2);
});

it('lets every outage begin within seconds', () => {
  for (const { firstAfter } of world.outages) expect(firstAfter).toBeLessThan(10);
});
