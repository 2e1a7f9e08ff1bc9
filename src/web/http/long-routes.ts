/** The routes whose answers may be long: pages, the API, service discovery and the support bundle. */
import type { Request, RequestHandler, Response, Router } from 'express';
import { inStrokes, type Breath } from '../../runtime/breath.js';
import { pageOf, type Page as Text } from '../../metrics/page.js';
import { apiRoutes } from '../api/api.js';
import { assets } from '../assets/assets.js';
import { documentOf, documentPieces, type Frame } from '../parts/layout.js';
import { createLongAnswers, piecesOf } from './long-answers.js';
import { jsonPieces } from '../parts/long-list.js';
import type { Answer, Page, PageContext, PageRequest } from '../pages/page.js';
import { pages } from '../pages/pages.js';
import { discoveryOf } from './service-discovery.js';
import { supportBundle } from '../api/support-bundle.js';
import { createSender } from './unhurried.js';
import { rowsOf, type Row } from '../view.js';
import type { Books } from '../books.js';

/** Somebody who reads that slowly does not wait for the answer. */
const patienceMs = 60_000;

type Made = Pick<Answer, 'status' | 'redirect'> & { readonly text: Text };
/** @param page with the rows that were asked for */
type Make = (page: PageContext, asked: PageRequest, breathe: Breath) => Promise<Made>;

export type LongOptions = Books & { readonly configuration: () => unknown };

export function longAnswersOn(router: Router, options: LongOptions, context: () => PageContext): void {
  const answers = createLongAnswers();
  const send = createSender();
  const rowsNow = sharedRows(options);
  const answering =
    (type: string, needsRows: boolean, make: Make): RequestHandler =>
    async (request, response) => {
      const { status, redirect, text } = await answers.made(request.originalUrl, async (breathe) => {
        const page = context();
        const rows = needsRows ? await rowsNow(page.now, breathe) : [];
        return make({ ...page, rows }, { params: paramsOf(request), query: queryOf(request) }, breathe);
      });
      response.status(status).type(type);
      const [only, ...more] = text.plain;
      if (redirect !== undefined) response.redirect(status, redirect);
      else if (more.length === 0) response.send(only);
      else if (request.method === 'HEAD') response.end();
      else await send(request, response, text, patienceMs);
    };
  for (const { path, needsRows, show } of pages) router.get(path, answering('html', needsRows, makePage(show)));
  for (const { path, needsRows, answer } of apiRoutes) {
    const make: Make = async (page, asked, breathe) => {
      const { status, body } = answer(page, asked);
      return { status, text: pageOf(await piecesOf(jsonPieces(body), breathe)) };
    };
    router.get(path, noStore, answering('json', needsRows, make));
  }
  router.get('/api/v1/schema', async (_request, response) => {
    // Building it takes as long as a good part of a start, and few ask for it.
    const { apiSchema } = await import('../api/schema.js');
    response.type('application/schema+json').send(JSON.stringify(apiSchema));
  });
  const makeDiscovery: Make = async (_page, _asked, breathe) => {
    const groups = await inStrokes(discoveryOf(options), breathe);
    return { status: 200, text: pageOf(await piecesOf(jsonPieces(groups), breathe)) };
  };
  router.get('/sd', answering('json', false, makeDiscovery));
  router.get('/api/v1/support-bundle', async (_request, response) => {
    // One at a time, for all who ask meanwhile.
    const { bundle, at } = await answers.made('support bundle', async (breathe) => {
      const page = context();
      const rows = await rowsNow(page.now, breathe);
      return { bundle: await supportBundle({ ...page, rows }, options.configuration(), breathe), at: page.now };
    });
    const name = `send-connector-exporter-${new Date(at).toISOString().slice(0, 10)}.zip`;
    response.set('Cache-Control', 'no-store').attachment(name).type('zip').send(bundle);
  });
}

const noStore: RequestHandler = (_request, response, next) => {
  response.set('Cache-Control', 'no-store');
  next();
};

function makePage(show: Page['show']): Make {
  return async (page, asked, breathe) => {
    const shown = show(page, asked);
    const answer = 'next' in shown ? await inStrokes(shown, breathe) : shown;
    const { status, redirect } = answer;
    const pieces = redirect === undefined ? await piecesOf(documentPieces(answer, frameOf(page)), breathe) : [];
    return { status, text: pageOf(pieces), ...(redirect !== undefined && { redirect }) };
  };
}

/** Pages that are made at the same moment share their rows, though they show them differently. */
function sharedRows(books: Books): (now: number, breathe: Breath) => Promise<readonly Row[]> {
  let underWay: Promise<readonly Row[]> | undefined;
  return (now, breathe) => (underWay ??= inStrokes(rowsOf(books, now), breathe).finally(() => (underWay = undefined)));
}

export function sendPage(response: Response, answer: Answer, context: PageContext): void {
  if (answer.redirect !== undefined) {
    response.redirect(answer.status, answer.redirect);
    return;
  }
  response
    .status(answer.status)
    .type('html')
    .send(documentOf(answer, frameOf(context)));
}

function frameOf(context: PageContext): Frame {
  const { links, version, telemetryPath } = context;
  const paths = { style: assets.style.path, script: assets.script.path, icon: assets.icon.path };
  return {
    links,
    version,
    telemetryPath,
    assets: { style: links.page(paths.style), script: links.page(paths.script), icon: links.page(paths.icon) },
  };
}

function paramsOf(request: Request): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.params).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}

export function queryOf(request: Request): URLSearchParams {
  const start = request.originalUrl.indexOf('?');
  return new URLSearchParams(start < 0 ? '' : request.originalUrl.slice(start + 1));
}
