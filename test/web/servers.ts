/** The real web server on a free port of loopback, over literal books. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pageOf } from '../../src/metrics/page.js';
import { openAccess } from '../../src/web/http/access.js';
import { createHandshakes } from '../../src/model/handshakes.js';
import { startWeb, type WebOptions } from '../../src/web/http/server.js';
import { silentLog } from '../support/log-double.js';
import { booksOf, now, runbookTexts, type WorldDraft } from './world.js';

export type RunningWeb = {
  readonly url: string;
  readonly logged: { readonly level: string; readonly message: string; readonly fields: object }[];
  readonly scrapers: string[];
  readonly close: () => Promise<void>;
};

export async function runningWeb(world: WorldDraft, changes: Partial<WebOptions> = {}): Promise<RunningWeb> {
  const folder = await mkdtemp(join(tmpdir(), 'sce-web-'));
  for (const [name, text] of runbookTexts) await writeFile(join(folder, `${name}.md`), text);
  await writeFile(join(folder, 'secret.txt'), 'not a runbook');
  const logged: RunningWeb['logged'] = [];
  const scrapers: string[] = [];
  const log =
    (level: string) =>
    (message: string, fields: object = {}) =>
      void logged.push({ level, message, fields });
  const web = await startWeb({
    ...booksOf(world),
    listen: [{ host: '127.0.0.1', port: 0 }],
    access: await openAccess(undefined, silentLog),
    handshakes: createHandshakes('web', silentLog),
    telemetryPath: '/metrics',
    externalUrl: undefined,
    version: '0.0.0-test',
    runbooks: folder,
    reload: () => Promise.resolve({ successful: true }),
    probe: () => Promise.resolve(undefined),
    configuration: () => ({}),
    metrics: {
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      render: (scraper) => {
        scrapers.push(scraper);
        const page = pageOf(['# HELP up Up.\n# TYPE up gauge\nup 1\n'.repeat(100)]);
        return Promise.resolve({ page, wasRead: () => undefined });
      },
    },
    now: () => now,
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    ...changes,
  });
  return {
    url: web.addresses[0]!,
    logged,
    scrapers,
    close: async () => {
      await web.close();
      await rm(folder, { recursive: true });
    },
  };
}
