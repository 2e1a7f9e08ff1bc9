/** A real Chromium on one web server over literal books that a test may change, with nothing leaving the host. */
import { mkdir } from 'node:fs/promises';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { pathOfProgram } from '../support/programs.js';
import { runningWeb, type RunningWeb } from './servers.js';
import { booksOf, type WorldDraft } from './world.js';

/** Debian's, or the one that CHROMIUM names. */
const executablePath = process.env.CHROMIUM ?? pathOfProgram('chromium', 'chromium-browser', 'google-chrome');
export const chromiumIsAbsent = executablePath === undefined;

type ContextOptions = NonNullable<Parameters<Browser['newContext']>[0]>;

type Visited = {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the console complains of. */
  readonly errors: string[];
  /** Addresses beyond the web server that were asked for. */
  readonly strangers: string[];
};

export type Chromium = {
  readonly browser: Browser;
  readonly web: RunningWeb;
  /** What the pages show from now on. */
  world: WorldDraft;
  /** Folder of the screenshots, where SCREENSHOTS names one. */
  readonly pictures: string | undefined;
  readonly opened: (path: string, options?: ContextOptions) => Promise<Visited>;
  readonly close: () => Promise<void>;
};

/** @param runbooks folder of the runbooks; some short ones without it */
export async function startChromium(world: WorldDraft, runbooks?: string): Promise<Chromium> {
  const pictures = process.env.SCREENSHOTS;
  if (pictures !== undefined) await mkdir(pictures, { recursive: true });
  const web = await runningWeb({}, { ...booksOf(() => started.world), ...(runbooks && { runbooks }) });
  const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
  const silent = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];
  const browser = await chromium.launch({
    executablePath: executablePath!,
    headless: true,
    args: [...flags, ...silent],
  });
  const started: Chromium = {
    browser,
    web,
    world,
    pictures,
    opened: (path, options) => opened(browser, web.url + path, options),
    close: async () => {
      await browser.close();
      await web.close();
    },
  };
  return started;
}

async function opened(browser: Browser, url: string, options: ContextOptions = {}): Promise<Visited> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const errors: string[] = [];
  const strangers: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(error.message));
  await context.route('**/*', (route) => {
    if (new URL(route.request().url()).origin === new URL(url).origin) return route.continue();
    strangers.push(route.request().url());
    return route.abort();
  });
  await page.goto(url);
  return { page, context, errors, strangers };
}
