/** The API as a program sees it: every answer fits the published schema; the bundle holds evidence and no secret. */
import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import { masked } from '../../src/web/api/support-bundle.js';
import type { WebOptions } from '../../src/web/http/server.js';
import { runningWeb } from './servers.js';
import { evil, happenings, mailWorld, now, type WorldDraft } from './world.js';

const world: WorldDraft = { ...mailWorld, ...happenings };

async function served(draft: WorldDraft = world, changes: Partial<WebOptions> = {}) {
  const web = await runningWeb(draft, changes);
  onTestFinished(web.close);
  const schema = (await (await fetch(`${web.url}/api/v1/schema`)).json()) as { $defs: Record<string, object> };
  const ask = async (path: string) => {
    const answer = await fetch(`${web.url}/api/v1${path}`);
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown[]> };
  };
  const fits = (name: string, body: unknown): void => {
    z.fromJSONSchema(schema.$defs[name] as never).parse(body);
  };
  return { web, ask, fits };
}

describe('the API', () => {
  test.each([
    ['status', '/status'],
    ['connectors', '/connectors'],
    ['destinations', '/destinations'],
    ['visits', `/destinations/${encodeURIComponent('203.0.113.25:25')}/visits`],
    ['visits', `/destinations/${encodeURIComponent('[2001:db8::25]:25')}/visits`],
    ['events', '/events'],
  ])('%s: %s fits its schema, with books full and empty', async (name, path) => {
    const full = await served();
    const { status, body } = await full.ask(path);
    expect(status).toBe(200);
    full.fits(name, body);
    expect(() => {
      full.fits(name, { ...body, more: 1 });
    }).toThrow();
    if (name === 'visits') return;
    const empty = await served({});
    empty.fits(name, (await empty.ask(path)).body);
  });

  test('the status has the diagnosis of each pair that erred lately', async () => {
    const { ask } = await served();
    const { body } = await ask('/status');
    const pairs = body.pairs as { destination: string; diagnosis: string | null; sentence: string }[];
    expect(pairs.find(({ destination }) => destination === '203.0.113.25:25')).toMatchObject({
      diagnosis: 'destination_down',
      sentence: expect.stringContaining('cannot reach 203.0.113.25:25 from exch01.contoso.example') as string,
      since: '2026-11-23T08:14:39.000Z',
    });
  });

  test('events are those of the labels that were asked for', async () => {
    const { ask } = await served();
    const all = (await ask('/events')).body.events as { kind: string; server: string }[];
    expect(new Set(all.map(({ kind }) => kind))).toEqual(new Set(['error', 'related']));
    const { body } = await ask('/events?server=exch02.contoso.example');
    expect(new Set((body.events as typeof all).map(({ server }) => server))).toEqual(
      new Set(['exch02.contoso.example']),
    );
  });

  test('an unknown destination is not found', async () => {
    const { ask } = await served();
    expect(await ask('/destinations/203.0.113.250:25/visits')).toMatchObject({ status: 404 });
  });
});

describe('a destination that is to be probed and was not yet', () => {
  const waiting: Partial<WebOptions> = {
    targets: () => [{ destination: '127.0.1.1:2525', host: '127.0.1.1', port: 2525, origin: 'configured' }] as never,
  };

  test('issue 14, soak: has its page, its visits and its line in the status from the start', async () => {
    const { web, ask } = await served({}, waiting);
    const name = encodeURIComponent('127.0.1.1:2525');
    const page = await fetch(`${web.url}/destinations/${name}`);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('First probe pending')]);
    expect(await ask(`/destinations/${name}/visits`)).toEqual({
      status: 200,
      body: { destination: '127.0.1.1:2525', visits: [] },
    });
    expect((await ask('/status')).body.pairs).toMatchObject([{ destination: '127.0.1.1:2525', state: 'waiting' }]);
    expect((await fetch(`${web.url}/destinations/${encodeURIComponent('127.0.1.2:2525')}`)).status).toBe(404);
  });
});

describe('the support bundle', () => {
  test('is a zip with evidence, visits, paths, events, configuration without secrets, versions', async () => {
    const configuration = {
      web: { externalUrl: 'https://user:hunter2@monitor.example/' },
      proxy: { password: 'hunter2' },
    };
    const { web } = await served(world, { configuration: () => configuration });
    const answer = await fetch(`${web.url}/api/v1/support-bundle`);
    expect(answer.headers.get('content-disposition')).toContain('send-connector-exporter-2026-11-23.zip');
    const files = unzipSync(new Uint8Array(await answer.arrayBuffer()));
    const names = Object.keys(files)
      .map((name) => name.split('/')[1] ?? '')
      .filter((name) => name !== '');
    expect(names.sort()).toEqual([
      'README.txt',
      'configuration.json',
      'connectors.json',
      'destinations.json',
      'events.json',
      'status.json',
      'versions.json',
      'visits.json',
    ]);
    const text = Object.values(files)
      .map((bytes) => strFromU8(bytes))
      .join('\n');
    expect(text).not.toContain('hunter2');
    expect(text).toContain(JSON.stringify(evil));
    expect(text).toContain('220 mx1.fabrikam.example ESMTP');
    expect(text).toContain('InfoDomainNonexistent');
  });

  test('masks what may be a secret, wherever it stands', () => {
    expect(
      masked({ a: [{ apiKey: 'x', name: 'n' }], url: 'smtp://a:b@host/', passwordFile: '/p', token: null, at: now }),
    ).toEqual({
      a: [{ apiKey: '(masked)', name: 'n' }],
      url: 'smtp://(masked)@host/',
      passwordFile: '(masked)',
      token: null,
      at: now,
    });
  });

  test('issue 14, 1.10: values nested in one another without end are cut, and the bundle is made all the same', () => {
    const ring: { name: string; again?: unknown; token?: string } = { name: 'n', token: 'x' };
    ring.again = [ring];
    const text = JSON.stringify(masked(ring));
    expect(text).toContain('(left out: nested too deeply)');
    expect(text).not.toContain('"x"');
    let deep: unknown = 'the bottom';
    for (let level = 0; level < 100_000; level++) deep = [deep];
    expect(JSON.stringify(masked({ deep }))).not.toContain('the bottom');
    const wide = { list: Array.from({ length: 300_000 }, (_, index) => index) };
    expect((masked(wide) as typeof wide).list.length).toBeLessThan(300_000);
    expect((masked({ list: [1, 2] }) as typeof wide).list).toEqual([1, 2]);
  });
});
