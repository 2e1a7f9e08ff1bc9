/** The bundled runbooks as they are served: every link in them leads somewhere, every reason has its place. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { reasons } from '../../src/model/words.js';
import { linksOf } from '../../src/web/parts/links.js';
import { startTlsCheck } from '../../src/web/parts/starttls-check.js';
import { loadRunbooks } from '../../src/web/pages/runbooks.js';
import { bundledRunbooks as bundled } from '../../src/web/pages/bundled-runbooks.js';

const bundledRunbooks = bundled as string;
const absent = !existsSync(bundledRunbooks);
if (absent) console.warn(`SKIPPED: the tests of the bundled runbooks, because ${bundledRunbooks} is absent`);

const labels = {
  server: 'exch01',
  connector: 'To Partner',
  destination: '[2001:db8::25]:25',
  source: '/in',
  instance: 'exporter:10202',
};

test.runIf(absent && process.env.CI === 'true')('the runbooks are there in CI', () => {
  expect.fail(`expected runbooks in ${bundledRunbooks}`);
});

describe.skipIf(absent)('the bundled runbooks', () => {
  const links = linksOf('https://monitor.example/x/');
  const idsIn = (html: string): Set<string> =>
    new Set([...html.matchAll(/ (?:id|name)="([^"]+)"/g)].map((match) => match[1]!));

  test('16.4.1: the look at STARTTLS from a Windows server is the one that the pages offer', () => {
    const line = startTlsCheck("'<host>'", 25, "'<host>'").replace(', 25)', ', <port>)');
    expect(readFileSync(join(bundledRunbooks, 'checks.md'), 'utf8').split('\n')).toContain(line);
  });

  test('links within them resolve, with their anchors', () => {
    const runbooks = loadRunbooks(bundledRunbooks);
    expect(runbooks.list.length).toBeGreaterThan(5);
    const broken: string[] = [];
    let internal = 0;
    for (const { name } of runbooks.list) {
      const { html } = runbooks.show(name, labels, links)!;
      for (const [, href] of html.matchAll(/<a href="([^"]*)"/g)) {
        if (/^https?:/.test(href!)) continue;
        internal += 1;
        const match = /^(?:\/x\/runbooks\/([\w-]+)\?[^#]*)?(?:#(.+))?$/.exec(href!);
        const target = match && runbooks.show(match[1] ?? name, labels, links);
        if (!target || (match[2] !== undefined && !idsIn(target.html).has(match[2]))) broken.push(`${name}: ${href}`);
      }
    }
    expect(broken).toEqual([]);
    expect(internal).toBeGreaterThan(20);
  });

  test('no link of the sources was dropped', () => {
    const runbooks = loadRunbooks(bundledRunbooks);
    for (const { name } of runbooks.list)
      expect(runbooks.show(name, labels, links)!.html, name).not.toMatch(/\]\([^)]*\)/);
  });

  test('every reason of the closed list has its anchor', () => {
    const ids = idsIn(loadRunbooks(bundledRunbooks).show('reasons', {}, links)!.html);
    expect(reasons.filter((reason) => !ids.has(reason))).toEqual([]);
  });

  test('with all labels no placeholder of theirs is left in a command', () => {
    const runbooks = loadRunbooks(bundledRunbooks);
    for (const { name } of runbooks.list.filter((one) => one.name !== 'README')) {
      const { html } = runbooks.show(name, labels, links)!;
      const left = [...html.matchAll(/&lt;(connector|destination|host|port|server|source|instance)&gt;/g)].map(
        (match) => match[0],
      );
      expect(left, name).toEqual([]);
    }
  });
});
