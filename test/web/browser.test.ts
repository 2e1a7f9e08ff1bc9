/** The pages in a real Chromium: what people see, click and type, with nothing leaving the host. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { busyConnector, busyDestination, busyWorld } from './busy-world.js';
import { chromiumIsAbsent, startChromium, type Chromium } from './chromium.js';
import { runningWeb } from './servers.js';
import { emoji, evil, happenings, mailWorld, type WorldDraft } from './world.js';

const full: WorldDraft = { ...mailWorld, ...happenings };

describe.skipIf(chromiumIsAbsent)('in Chromium', () => {
  let seen: Chromium;

  beforeAll(async () => {
    seen = await startChromium(full);
  });

  afterAll(() => seen.close());

  const alertLink =
    '/runbooks/DestinationDown?server=exch01.contoso.example&connector=Outbound%20to%20Internet&destination=203.0.113.25:25';

  test('the status page shows the latest error first and every link of it answers', async () => {
    const { page, context, errors, strangers } = await seen.opened('/');
    expect(await page.locator('h1').innerText()).toContain('1 of 9 destinations cannot be reached');
    const times = await page
      .locator('tbody tr td:nth-child(5)')
      .evaluateAll((cells) => cells.map((cell) => cell.querySelector('time')?.dateTime ?? ''));
    expect(times.slice(0, 6)).toEqual([...times.slice(0, 6)].sort().reverse());
    expect(times.length).toBeGreaterThan(8);

    const hrefs = await page
      .locator('a[href]')
      .evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href));
    for (const href of new Set(hrefs.map((one) => one.replace(/#.*$/, '')))) {
      expect(href.startsWith(seen.web.url), href).toBe(true);
      expect((await fetch(href)).status, href).toBe(200);
    }
    expect(errors).toEqual([]);
    expect(strangers).toEqual([]);
    await context.close();
  });

  test('a row leads to its runbook, and that to the place of its reason', async () => {
    const { page, context, errors, strangers } = await seen.opened('/');
    await page
      .locator('tbody tr', { hasText: '203.0.113.25:25' })
      .getByRole('link', { name: 'Resolution steps' })
      .click();
    await page.waitForURL(/\/runbooks\/DestinationDown\?/);
    expect(await page.locator('.now').innerText()).toContain('14 errors');
    expect(await page.locator('.prose pre').first().innerText()).toContain('Get-SendConnector "Outbound to Internet"');
    await page.getByRole('link', { name: /What to do about/ }).click();
    await page.waitForURL(/\/runbooks\/reasons\?.*#refused$/);
    expect(await page.locator('#refused').isVisible()).toBe(true);
    expect(errors).toEqual([]);
    expect(strangers).toEqual([]);
    await context.close();
  });

  test('a name from a log is text, never markup', async () => {
    for (const path of [`/connectors/${encodeURIComponent(evil)}`, '/', '/events']) {
      const { page, context, errors } = await seen.opened(path);
      expect(await page.locator('main').innerText()).toContain(evil);
      expect(await page.locator('img').count()).toBe(0);
      expect(errors).toEqual([]);
      await context.close();
    }
    const { page, context } = await seen.opened(`/connectors/${encodeURIComponent(emoji)}`);
    expect(await page.locator('h1').innerText()).toContain(emoji);
    await context.close();
  });

  test('the table follows the books without losing scroll, filter text or focus', async () => {
    const { page, context, errors } = await seen.opened('/');
    const link = page.getByRole('link', { name: 'Outbound to Internet' }).first();
    await link.focus();
    await page.locator('input[name=q]').evaluate((input) => ((input as HTMLInputElement).value = 'half a wo'));
    await page.evaluate(() => {
      window.scrollTo(0, 120);
    });
    try {
      seen.world = { ...full, rows: mailWorld.rows!.map((row) => (row.errors === 14 ? { ...row, errors: 15 } : row)) };
      // Coming back to a tab refreshes at once: no waiting for the timer.
      await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
      await page.locator('tbody tr td.n', { hasText: /^15$/ }).waitFor();
    } finally {
      seen.world = full;
    }
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Outbound to Internet');
    expect(await page.locator('input[name=q]').inputValue()).toBe('half a wo');
    expect(await page.evaluate(() => window.scrollY)).toBe(120);
    expect(errors).toEqual([]);
    await context.close();
  });

  test('filters and sort work without JavaScript', async () => {
    const { page, context } = await seen.opened('/', { javaScriptEnabled: false });
    await page.locator('input[name=q]').fill('fabrikam 2001');
    await page.getByRole('button', { name: 'Show' }).click();
    expect(await page.locator('tbody').first().locator('tr').count()).toBe(1);
    await page.getByRole('link', { name: 'Clear' }).click();
    await page.getByRole('link', { name: 'Errors', exact: true }).click();
    expect(await page.locator('tbody').first().locator('tr td.n').first().innerText()).toBe('12,041');
    expect(await page.locator('th[aria-sort]').innerText()).toContain('Errors');
    await context.close();
  });

  test('keyboard alone: the first stop skips to the content', async () => {
    const { page, context } = await seen.opened('/');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('Skip to the content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
    await context.close();
  });

  test('keyboard alone reaches every link, field and scrolling part', async () => {
    for (const path of ['/', '/destinations/203.0.113.25:25', '/events']) {
      const { page, context } = await seen.opened(path);
      const wanted = await page
        .locator('a[href], button, input:not([type=hidden]), select, summary, [tabindex="0"]')
        .filter({ visible: true })
        .count();
      const reached = new Set<string>();
      for (let press = 0; press < wanted + 5; press++) {
        await page.keyboard.press('Tab');
        reached.add(
          await page.evaluate(() => {
            const all = [...document.querySelectorAll('*')];
            return String(document.activeElement ? all.indexOf(document.activeElement) : -1);
          }),
        );
      }
      // The skip link is hidden until it has focus, and the body is between the last and the first.
      expect(reached.size, path).toBeGreaterThanOrEqual(wanted);
      await context.close();
    }
  });

  test('the page knows in one look: what, where, why, since when, and the next command', async () => {
    const { page, context } = await seen.opened('/');
    const hero = await page.locator('.hero').innerText();
    expect(hero).toContain('Outbound to Internet cannot reach 203.0.113.25:25 from exch01.contoso.example');
    expect(hero).toContain('connection refused since 08:14 UTC');
    expect(hero).toContain('Test-NetConnection 203.0.113.25 -Port 25 -InformationLevel Detailed');
    await context.close();
  });

  test('one time line holds errors, what stands around them, and visits', async () => {
    const { page, context } = await seen.opened('/destinations/203.0.113.25:25');
    const line = await page.locator('.line').innerText();
    expect(line).toContain('Event 2002 × 3');
    expect(line).toContain('Microsoft-Windows-DNS-Client 1014');
    expect(line).toContain('Name resolution fails: the name servers are down or cut off.');
    expect(line).toContain('Probe failed');
    expect(line).not.toContain('Schannel');
    expect(line).not.toContain('Tcpip');
    await context.close();
  });

  const shots = {
    status: '/',
    runbook: alertLink,
    destination: '/destinations/203.0.113.25:25',
    connector: '/connectors/Outbound%20to%20Internet',
    index: '/runbooks',
    events: '/events',
    missing: '/nowhere',
  };

  test('16.4.2: the destination page begins with the evidence, and is below 3,000 px however much there is to tell', async () => {
    seen.world = busyWorld;
    try {
      const paths = [`/destinations/${busyDestination}`, `/connectors/${encodeURIComponent(busyConnector)}`];
      for (const [index, path] of paths.entries()) {
        const { page, context, errors } = await seen.opened(path);
        if (seen.pictures !== undefined)
          await page.screenshot({ path: join(seen.pictures, `busy-${index}.png`), fullPage: true });
        expect(await page.evaluate(() => document.documentElement.scrollHeight), path).toBeLessThan(3_000);
        expect(errors).toEqual([]);
        await context.close();
      }
      const { page, context } = await seen.opened(paths[0]!);
      const top = (selector: string): Promise<number> =>
        page
          .locator(selector)
          .first()
          .evaluate((part) => part.getBoundingClientRect().top + window.scrollY);
      const order = [await top('.hero'), await top('.lanes'), await top('.transcript'), await top('.line')];
      expect(order).toEqual([...order].sort((a, b) => a - b));
      await context.close();
    } finally {
      seen.world = full;
    }
  });

  test('16.4.2: the time line has one line for an error of an event and a failure, and pages that follow one another', async () => {
    seen.world = busyWorld;
    try {
      const { page, context } = await seen.opened(`/destinations/${busyDestination}`);
      expect(await page.locator('.line > .error').first().innerText()).toContain('Event 2002: connection refused');
      const first = await page.locator('.line').innerText();
      await page.getByRole('navigation', { name: 'Pages of the time line' }).getByRole('link', { name: '2' }).click();
      await page.waitForURL(/\?line=2$/);
      const second = await page.locator('.line').innerText();
      expect(second).not.toBe(first);
      expect(await page.locator('.line > li').count()).toBe(10);
      await context.close();
    } finally {
      seen.world = full;
    }
  });

  test('16.4.5: on a phone the bar is one line, and runbooks and tables are whole', async () => {
    const real = await runningWeb(full, { runbooks: 'alerts/runbooks' });
    onTestFinished(real.close);
    const ours = ['/runbooks', '/runbooks/SendConnectorErrorsEverywhere', '/runbooks/checks'];
    const context = await seen.browser.newContext({ viewport: { width: 390, height: 844 } });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    for (const path of [
      ...ours.map((each) => real.url + each),
      ...Object.values(shots).map((each) => seen.web.url + each),
    ]) {
      await page.goto(path);
      const bar = await page
        .locator('.top > *')
        .evaluateAll((parts) =>
          parts.map((part) => part.getBoundingClientRect()).map(({ top, height }) => top + height),
        );
      expect(Math.max(...bar) - Math.min(...bar), path).toBeLessThan(20);
      expect(await page.locator('.top').evaluate((part) => part.scrollWidth - part.clientWidth)).toBeLessThanOrEqual(0);
      const cut = await page
        .locator('.top *, table, td, tbody th')
        .evaluateAll((parts) =>
          parts
            .filter((part) => part.getBoundingClientRect().right > window.innerWidth - 12)
            .map((part) => part.outerHTML.slice(0, 120)),
        );
      expect(cut, path).toEqual([]);
      expect(errors).toEqual([]);
    }
    await context.close();
  }, 120_000);

  test('16.4.4: times are local on hover, and everywhere by a switch that is remembered', async () => {
    const { page, context } = await seen.opened('/destinations/203.0.113.25:25', { timezoneId: 'Asia/Kolkata' });
    const time = page.locator('.facts:not(.availability) time').last();
    expect(await time.innerText()).toContain('08:14:39 UTC');
    expect(await time.getAttribute('title')).toBe('Local time: 2026-11-23 13:44:39 GMT+5:30');
    await page.getByRole('button', { name: 'Local time' }).click();
    expect(await time.innerText()).toContain('13:44:39 GMT+5:30');
    expect(await page.locator('footer').innerText()).toContain('Times are local (GMT+5:30)');
    await page.goto(`${seen.web.url}/events`);
    expect(await page.locator('.line time').first().innerText()).toContain('GMT+5:30');
    await page.getByRole('button', { name: 'Local time' }).click();
    expect(await page.locator('.line time').first().innerText()).toContain('UTC');
    await context.close();
  });

  test('16.4.4: a slash puts the cursor into the search, and is a slash there', async () => {
    const { page, context } = await seen.opened('/');
    await page.keyboard.press('/');
    await page.keyboard.type('a/b');
    expect(await page.locator('input[name=q]').inputValue()).toBe('a/b');
    await context.close();
  });
});
