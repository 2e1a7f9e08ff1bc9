/** The frame around every page: head, navigation, footer. */
import { randomUUID } from 'node:crypto';
import type { ComponentChildren, VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { generatedPath } from '../generated/generated.js';
import { PutOffLists, type PutOff } from './long-list.js';
import type { Answer } from '../pages/page.js';
import type { Links } from './links.js';

export type Frame = {
  readonly links: Links;
  readonly version: string;
  readonly telemetryPath: string;
  /** Paths of the served assets. */
  readonly assets: { readonly style: string; readonly script: string; readonly icon: string };
};

/** An answer as a complete HTML document. */
export function documentOf(answer: Answer, frame: Frame): string {
  return [...documentPieces(answer, frame)].join('');
}

/** The same in pieces: one for each item of its long lists. */
export function* documentPieces(answer: Answer, frame: Frame): Generator<string> {
  // Nobody can know it, so no text of a log can look like it.
  const place = randomUUID();
  const lists: Parameters<PutOff>[0][] = [];
  const putOff: PutOff = (list) => {
    lists.push(list);
    return place;
  };
  const html = renderToString(<PutOffLists.Provider value={putOff}>{whole(answer, frame)}</PutOffLists.Provider>);
  yield '<!doctype html>';
  for (const [index, text] of html.split(place).entries()) {
    yield text;
    const list = lists[index];
    if (list) for (const item of list.items) yield renderToString(list.children(item));
  }
}

function whole(answer: Answer, frame: Frame): VNode {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>{`${answer.title} · Send connector exporter`}</title>
        <link rel="icon" href={frame.assets.icon} type="image/svg+xml" />
        <link rel="stylesheet" href={frame.assets.style} />
        <script src={frame.assets.script} defer></script>
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to the content
        </a>
        <Top links={frame.links} section={answer.section} />
        <main id="main" tabIndex={-1}>
          {answer.body}
        </main>
        <Bottom frame={frame} />
      </body>
    </html>
  );
}

function Top({ links, section }: { links: Links; section: Answer['section'] }): VNode {
  const entry = (name: NonNullable<Answer['section']>, path: string, text: string): VNode => (
    <a href={links.page(path)} {...(section === name ? { 'aria-current': 'page' } : {})}>
      {text}
    </a>
  );
  return (
    <header class="top">
      <a class="brand" href={links.page('/')}>
        <span class="mark" aria-hidden="true"></span>
        <span>Send connector exporter</span>
      </a>
      <nav aria-label="Main">
        {entry('status', '/', 'Status')}
        {entry('events', '/events', 'Events')}
        {entry('runbooks', '/runbooks', 'Runbooks')}
      </nav>
      <span class="live" id="live"></span>
    </header>
  );
}

function Bottom({ frame }: { frame: Frame }): VNode {
  const { links } = frame;
  return (
    <footer>
      <span>Send connector exporter {frame.version}</span>
      <a href={links.page(frame.telemetryPath)}>Metrics</a>
      <a href={links.page('/api/v1/support-bundle')}>Support bundle</a>
      <a href={links.page(generatedPath)}>Rules and dashboards</a>
      <a href={links.page('/-/ready')}>Readiness</a>
      <a href={links.page('/-/healthy')}>Health</a>
      <span data-zone="">All times are UTC.</span>
    </footer>
  );
}

/** A part of a page that the refresh script may replace: it changes with the books. */
export function Live({ id, children }: { id: string; children: ComponentChildren }): VNode {
  return (
    <div id={id} data-live="">
      {children}
    </div>
  );
}
