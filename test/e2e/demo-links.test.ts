/** The demo has no dead link: every page of it, and every link of the alerts that it fires. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test, vi } from 'vitest';
import { builtProgram, loopbackOnly } from '../support/exporter.js';
import { hasProgram } from '../support/programs.js';

/** Starts the demo on a free port; it ends with the test. @returns what it prints, growing */
function startDemo(): () => string {
  const args = [...loopbackOnly, builtProgram, 'demo', '--demo.port=0', '--demo.duration=170'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill('SIGTERM');
    await ended;
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += String(text)));
  return () => output;
}

async function addressOf(said: () => string, what: string): Promise<string> {
  return vi.waitFor(
    () => new RegExp(`${what} +(http://\\S+)`).exec(said())?.[1] ?? expect.fail(`no ${what}:\n${said()}`),
    {
      timeout: 60_000,
      interval: 100,
    },
  );
}

const characters: Readonly<Record<string, string>> = { amp: '&', quot: '"', lt: '<', gt: '>', '#39': "'", '#x27': "'" };
const plain = (text: string): string => text.replace(/&(#?\w+);/g, (all, name: string) => characters[name] ?? all);

type Crawl = { readonly dead: string[]; readonly pages: number; readonly elsewhere: ReadonlySet<string> };

/**
 * Follows every link of every page of one origin, and looks up every anchor. Runbooks and destinations link to each other in
 * many ways: pages that differ only in their query are asked for once each, at most 3,000 in all.
 */
async function crawl(start: string): Promise<Crawl> {
  const { origin } = new URL(start);
  const bodies = new Map<string, string>();
  const dead: string[] = [];
  const elsewhere = new Set<string>();
  const waiting: { from: string; to: URL }[] = [{ from: 'start', to: new URL(start) }];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { from, to } = next;
    const address = to.href.replace(/#.*$/, '');
    if (!bodies.has(address)) {
      if (bodies.size === 3000) throw new Error('the demo has no end of pages');
      const answer = await fetch(address);
      const body = await answer.text();
      bodies.set(address, body);
      if (!answer.ok) dead.push(`${answer.status} ${address}, linked from ${from}`);
      if (answer.headers.get('content-type')?.includes('html') === true) {
        for (const [, link = ''] of body.matchAll(/\s(?:href|src|action)="([^"]*)"/g)) {
          const target = new URL(plain(link), address);
          if (target.origin === origin) waiting.push({ from: address, to: target });
          else elsewhere.add(target.href);
        }
      }
    }
    const anchor = decodeURIComponent(to.hash.slice(1));
    if (anchor !== '' && !bodies.get(address)!.includes(`id="${anchor}"`)) dead.push(`${to.href}, linked from ${from}`);
  }
  return { dead, pages: bodies.size, elsewhere };
}

test('every link of every page of the demo leads to a page, and every anchor to its place', async () => {
  const said = startDemo();
  const url = await addressOf(said, 'Status page');
  // Every destination has been visited, so that pages have transcripts, diagnoses and steps to link to.
  await vi.waitFor(
    async () => {
      const metrics = await (await fetch(`${url}metrics`)).text();
      expect(metrics.match(/^exchange_destination_probe_failing\{/gm)?.length).toBeGreaterThanOrEqual(3);
    },
    { timeout: 60_000, interval: 500 },
  );
  const { dead, pages, elsewhere } = await crawl(url);
  expect(dead).toEqual([]);
  expect(pages).toBeGreaterThan(50);
  // What is elsewhere is not asked for here: it must be the web at large, not a port of this machine where nobody is.
  for (const link of elsewhere) expect(link).toMatch(/^(?:https:\/\/[a-z.-]+\.[a-z]+\/|mailto:)/);
}, 180_000);

test.skipIf(!hasProgram('prometheus') || !hasProgram('alertmanager', 'prometheus-alertmanager'))(
  'every link of its alerts leads somewhere: runbook, query in Prometheus, and no dashboard, for there is no Grafana',
  async () => {
    const said = startDemo();
    const alertmanager = await addressOf(said, 'Alertmanager');
    type Alert = { generatorURL: string; annotations: Record<string, string> };
    const alerts = await vi.waitFor(
      async () => {
        const list = (await (await fetch(`${alertmanager}/api/v2/alerts`)).json()) as Alert[];
        expect(list.length).toBeGreaterThan(0);
        return list;
      },
      { timeout: 120_000, interval: 500 },
    );
    for (const { generatorURL, annotations } of alerts) {
      const links = [generatorURL, ...Object.values(annotations).filter((text) => /^https?:/.test(text))];
      expect(links.length).toBeGreaterThanOrEqual(2);
      for (const link of links) expect((await fetch(link)).status, link).toBe(200);
    }
  },
  180_000,
);
