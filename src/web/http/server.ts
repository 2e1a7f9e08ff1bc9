/** The routes of the exporter and the servers that answer them. */
import { randomBytes } from 'node:crypto';
import compression from 'compression';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Router,
} from 'express';
import type { Access } from './access.js';
import { assets } from '../assets/assets.js';
import { requireLogin, remoteOf } from './authentication.js';
import { failed, notFound } from '../pages/error-page.js';
import { generatedOn } from '../generated/generated.js';
import { linksOf } from '../parts/links.js';
import { Crowded } from './long-answers.js';
import { listenOn, type ListenAt } from './listeners.js';
import { textContentType } from '../../metrics/exposition.js';
import type { Log } from '../../runtime/log.js';
import type { Metrics } from '../../metrics/metrics.js';
import type { Handshakes } from '../../model/handshakes.js';
import type { ProbeResult } from '../../model/probes.js';
import { longAnswersOn, queryOf, sendPage } from './long-routes.js';
import type { PageContext } from '../pages/page.js';
import { createPlaces, type Places } from './places.js';
import { answerProbe, timeoutHeader } from './probe-answer.js';
import { bundledRunbooks } from '../pages/bundled-runbooks.js';
import { loadRunbooks, runbooksOf, type Runbooks } from '../pages/runbooks.js';
import { foreignSite } from './security.js';
import { createScrapeAnswers } from './scrape-answer.js';
import type { Books } from '../books.js';

export type WebOptions = Books & {
  readonly listen: readonly ListenAt[];
  /** Who may read, and whether over TLS. */
  readonly access: Access;
  /** Told of TLS handshakes that fail. */
  readonly handshakes: Handshakes;
  /** Path of the metrics, for instance `/metrics`. */
  readonly telemetryPath: string;
  /** Where browsers and links in alerts find this exporter; its path is put before every link. */
  readonly externalUrl: string | undefined;
  readonly version: string;
  /** Folder of the runbooks; default: `alerts/runbooks` of the package. */
  readonly runbooks?: string;
  /** Reads the configuration again. @returns whether it is in force, and if not, why */
  readonly reload: () => Promise<{ readonly successful: boolean; readonly problem?: string }>;
  /** The latest visit of a known destination, or a new one when it is due; undefined when the destination is unknown. */
  readonly probe: (destination: string, waitMs: number) => Promise<ProbeResult | undefined>;
  readonly metrics: Metrics;
  /** The configuration in force, for the support bundle; secrets are masked there. */
  readonly configuration: () => unknown;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  readonly log: Log;
};

export type Web = {
  /** Where it listens, as URLs, in the order of `listen`. */
  readonly addresses: readonly string[];
  /** Ends after answers under way are sent, at the latest after two seconds. */
  readonly close: () => Promise<void>;
};

/**
 * Serves pages, health, readiness and metrics.
 * @throws when an address cannot be listened on; then nothing is left open
 */
export async function startWeb(options: WebOptions): Promise<Web> {
  const places = createPlaces({ now: () => performance.now(), log: options.log });
  const app = createApp(options, runbooksFrom(options), places);
  const guarded = requireLogin(options.access, options.log, app);
  const listeners = await listenOn(options.listen, options.access.current(), guarded, places.enter, options.handshakes);
  options.access.onChange(listeners.use);
  return { addresses: listeners.addresses(), close: listeners.close };
}

// Without runbooks the exporter still counts and probes; the person learns of it before the first alert.
function runbooksFrom({ runbooks: folder, log }: WebOptions): Runbooks {
  const runbooks = folder ?? bundledRunbooks;
  try {
    return typeof runbooks === 'string' ? loadRunbooks(runbooks) : runbooksOf(runbooks);
  } catch (error) {
    log.warn('the runbooks cannot be read; links in alerts will lead nowhere', {
      folder: runbooks,
      error: String(error),
    });
    return runbooksOf(new Map());
  }
}

// ---------------------------------------------------------------------------------------------------------- routes

function createApp(options: WebOptions, runbooks: Runbooks, places: Places): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // Parameters are read with URLSearchParams: strings only, whatever a query tries.
  app.set('query parser', false);
  app.use(compression());
  app.use(siteGuard(options.externalUrl));

  const links = linksOf(options.externalUrl);
  const context = (): PageContext => ({ ...options, runbooks, links, now: options.now(), rows: [] });
  const router = routes(options, context, places);
  // Proxies differ in whether they take the path of the external URL away.
  if (links.base !== '') app.use(links.base, router);
  app.use(router);
  app.use((request, response) => {
    if (isApi(request)) response.status(404).json({ error: 'not found', path: request.path });
    else sendPage(response, notFound(context(), `Nothing is at ${request.path}.`), context());
  });
  app.use(errorAnswer(options, context));
  return app;
}

/** Nobody's web site may change anything here, through the browser of somebody who is logged in or stands in our network. */
function siteGuard(externalUrl: string | undefined): RequestHandler {
  return (request, response, next) => {
    const stranger = readingMethods.has(request.method) ? undefined : foreignSite(request.headers, externalUrl);
    if (stranger === undefined) next();
    else response.status(403).type('text').send(`Expected a request of this site, got one of ${stranger}.\n`);
  };
}

const readingMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

function routes(options: WebOptions, context: () => PageContext, { hasScraped }: Places): Router {
  const router = express.Router();
  router.post('/-/reload', async (_request, response) => {
    const { successful, problem = '' } = await options.reload();
    if (successful) response.type('text').send('reloaded\n');
    else response.status(500).type('text').send(`not reloaded; the last good configuration is in force\n${problem}\n`);
  });
  router.use((request, response, next) => {
    if (request.method === 'GET' || request.method === 'HEAD') {
      next();
      return;
    }
    response.status(405).set('Allow', 'GET, HEAD').type('text').send(`Expected GET or HEAD, got ${request.method}.\n`);
  });
  router.get('/-/healthy', (_request, response) => {
    response.type('text').send('healthy\n');
  });
  router.get('/-/ready', (_request, response) => {
    const { ready, why } = options.ready();
    response
      .status(ready ? 200 : 503)
      .type('text')
      .send(readyText(ready, why, options.notices()));
  });
  const answerScrape = createScrapeAnswers(options.metrics, hasScraped);
  router.get(options.telemetryPath, (request, response) => answerScrape(request, response, remoteOf(request)));
  router.get('/probe', (request, response) =>
    answerProbe(options.probe, queryOf(request), request.get(timeoutHeader)).then(({ status, text }) => {
      response.status(status).set('Content-Type', textContentType).set('Cache-Control', 'no-store').send(text);
    }),
  );
  generatedOn(router, options.externalUrl);
  longAnswersOn(router, options, context);
  for (const asset of Object.values(assets)) {
    router.get(asset.path, (_request, response) => {
      response.set('Cache-Control', 'public, max-age=31536000, immutable').type(asset.contentType).send(asset.content);
    });
  }
  return router;
}

function errorAnswer({ log }: WebOptions, context: () => PageContext): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const status = statusOf(error);
    const reference = randomBytes(4).toString('hex');
    const fields = { reference, path: request.path, status, err: error };
    if (status >= 500 && !(error instanceof Crowded)) log.error('a page could not be rendered', fields);
    if (response.headersSent) {
      next(error);
      return;
    }
    if (error instanceof Crowded)
      response.status(status).set('Retry-After', '2').type('text').send(`${error.message}: try again\n`);
    else if (isApi(request)) response.status(status).json({ error: 'failed', reference });
    else if (request.path.endsWith(context().telemetryPath))
      response.status(status).type('text').send(`failed, see the log: ${reference}\n`);
    else sendPage(response, failed(context(), status, reference), context());
  };
}

/** Express gives a status to what clients did wrong, for instance 400 for a path that cannot be decoded. */
function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 500;
}

function isApi(request: Request): boolean {
  return request.path.includes('/api/');
}

/** `ready`, or why not; below it what is not seen all the same. */
function readyText(ready: boolean, why: readonly string[], notices: readonly string[]): string {
  const head = ready ? 'ready' : 'not ready';
  return `${[head, ...why.map((line) => `- ${line}`), ...notices.map((line) => `note: ${line}`)].join('\n')}\n`;
}
