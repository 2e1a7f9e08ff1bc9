/** How the pages look in a real Chromium: accessible by axe and whole at every width, in both colours. */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import axeCore from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { monitoringFileNames } from '../../src/web/generated/monitoring-files.js';
import { chromiumIsAbsent, startChromium, type Chromium } from './chromium.js';
import { emoji, happenings, largeWorld, ledgerRow, mailWorld, type WorldDraft } from './world.js';

const full: WorldDraft = { ...mailWorld, ...happenings };
const colours = ['light', 'dark'] as const;
const widths = [1440, 1280, 390] as const;

const subject = 'server=exch01.contoso.example&connector=Outbound%20to%20Internet&destination=203.0.113.25:25';
/** Every page there is, in each shape that it has. */
const pages = {
  status: '/',
  'nothing found': '/?q=no-such-thing',
  events: '/events',
  destination: '/destinations/203.0.113.25:25',
  connector: '/connectors/Outbound%20to%20Internet',
  runbooks: '/runbooks',
  runbook: `/runbooks/DestinationDown?${subject}`,
  reasons: `/runbooks/reasons?${subject}`,
  missing: '/nowhere',
  generated: '/generated',
};

describe.skipIf(chromiumIsAbsent)('in Chromium', () => {
  let seen: Chromium;

  beforeAll(async () => {
    seen = await startChromium(full, 'alerts/runbooks');
  });

  afterAll(() => seen.close());

  for (const colorScheme of colours) {
    test(`16, it shows: every page is clean at three widths, ${colorScheme}`, async () => {
      seen.world = full;
      const { page, context, errors, strangers } = await seen.opened('/', { colorScheme });
      for (const [name, path] of Object.entries(pages)) {
        await page.goto(seen.web.url + path);
        await page.evaluate(axeCore.source);
        for (const width of widths) {
          await page.setViewportSize({ width, height: 900 });
          expect(await hiddenParts(page), `${name}, ${width} px`).toEqual([]);
          expect(await violations(page), `${name}, ${width} px`).toEqual([]);
          await keepPicture(seen, page, `${name}-${colorScheme}-${width}`);
        }
      }
      // The page that is not there is told of in the console.
      expect(errors.filter((each) => !each.includes('404'))).toEqual([]);
      expect(strangers).toEqual([]);
      await context.close();
    }, 120_000);
  }

  const others: Readonly<Record<string, WorldDraft>> = { nothing: {}, '500 destinations': largeWorld(500) };
  for (const colorScheme of colours) {
    for (const [name, draft] of Object.entries(others)) {
      test(`accessible with ${name}, ${colorScheme}`, async () => {
        seen.world = draft;
        const [row] = draft.rows ?? [];
        const some = row
          ? [`/destinations/${row.destination}`, `/connectors/${encodeURIComponent(row.connector)}`]
          : [];
        const { page, context, strangers } = await seen.opened('/', { colorScheme });
        for (const path of ['/', '/events', ...some]) {
          await page.goto(seen.web.url + path);
          await page.evaluate(axeCore.source);
          for (const width of [1440, 390]) {
            await page.setViewportSize({ width, height: 900 });
            expect(await hiddenParts(page), `${path}, ${width} px`).toEqual([]);
            // Another colour changes nothing but the contrast, and that at every width alike.
            if (colorScheme === 'dark' && width === 390) continue;
            const rules = colorScheme === 'dark' ? ['color-contrast'] : undefined;
            expect(await violations(page, rules), `${path}, ${width} px`).toEqual([]);
          }
        }
        expect(strangers).toEqual([]);
        await context.close();
      }, 120_000);
    }
  }

  test('16, it shows: plots by the hour name whole hours, and each file of the monitoring is one click away', async () => {
    seen.world = full;
    const { page, context } = await seen.opened(pages.connector);
    const ticks = await page.locator('.ticks time').allInnerTexts();
    expect(ticks.filter((text) => text !== '')).not.toEqual([]);
    for (const text of ticks) expect(text).toMatch(/^$|^(2026-11-\d\d )?\d\d:00 UTC$/);
    await page.getByRole('link', { name: 'Rules and dashboards' }).click();
    const links = page.locator('main a');
    expect(await links.allInnerTexts()).toEqual(monitoringFileNames);
    for (const link of await links.all()) {
      const href = await link.evaluate((anchor) => (anchor as HTMLAnchorElement).href);
      expect((await fetch(href)).status, href).toBe(200);
    }
    await context.close();
  });

  test('16, it shows: names of 200 characters push nothing out of view, and are whole on hover', async () => {
    const long = ['x'.repeat(200), 'Relay of the accounting department '.repeat(6).slice(0, 200), emoji];
    const server = `${'very-long-name-of-a-server'.repeat(4)}.contoso.example`;
    const hosts = ['[2001:db8:1234:5678:9abc:def0:1234:5678]:25', `${'mail.'.repeat(45)}contoso.example:2525`];
    const rows = long.flatMap((connector) =>
      hosts.map((destination) => ledgerRow({ connector, destination, server, errors: 1_234_567 })),
    );
    seen.world = { ...full, rows: [...rows, ...full.rows!] };
    const { page, context } = await seen.opened('/');
    const paths = ['/', `/destinations/${hosts[0]}`, ...long.map((name) => `/connectors/${encodeURIComponent(name)}`)];
    for (const path of [...paths, '/events']) {
      await page.goto(seen.web.url + path);
      for (const width of [1440, 1280, 1100, 390]) {
        await page.setViewportSize({ width, height: 900 });
        expect(await hiddenParts(page), `${path}, ${width} px`).toEqual([]);
        await keepPicture(seen, page, `long-${encodeURIComponent(path).slice(0, 40)}-${width}`);
      }
    }
    await page.goto(seen.web.url);
    const link = page.locator('td a', { hasText: long[0]! }).first();
    expect(await link.getAttribute('title')).toBe(long[0]);
    expect((await link.boundingBox())!.height).toBeLessThan(80);
    await context.close();
  }, 60_000);
});

/** What axe finds serious by these of its rules, all of them by default. A page of which it looks at nothing is no clean page. */
async function violations(page: Page, rules?: string[]): Promise<string[]> {
  return page.evaluate(async (runOnly) => {
    const { axe } = window as unknown as { axe: typeof axeCore };
    const { violations: found, passes } = await axe.run(document, {
      resultTypes: ['violations'],
      ...(runOnly && { runOnly }),
    });
    if (passes.length < (runOnly ? 1 : 10)) return [`only ${passes.length} rules were looked at`];
    return found
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  }, rules);
}

/** What a reader would have to scroll sideways for: the page itself, and whatever reaches out of a table's own frame. */
async function hiddenParts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const sideways = scrollWidth > clientWidth ? [`the page is ${scrollWidth - clientWidth} px too wide`] : [];
    const cells = [...document.querySelectorAll('.scroll tbody th, .scroll td')].filter((cell) => {
      const frame = cell.closest('.scroll')!.getBoundingClientRect();
      return cell.getBoundingClientRect().right > frame.right + 1 || cell.scrollWidth > cell.clientWidth + 1;
    });
    return [...sideways, ...cells.slice(0, 3).map((cell) => cell.outerHTML.slice(0, 200))];
  });
}

async function keepPicture({ pictures }: Chromium, page: Page, name: string): Promise<void> {
  if (pictures === undefined) return;
  await page.screenshot({ path: join(pictures, `${name}-top.png`) });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await appendFile(join(pictures, 'heights.txt'), `${name}: ${height} px\n`);
}
