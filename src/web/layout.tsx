/** The frame around every page: head, navigation, footer. */
import type { ComponentChildren, VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { generatedPath } from './generated.js';
import type { Answer } from './page.js';
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
  const html = (
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
  return `<!doctype html>${renderToString(html)}`;
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
        <span class="mark" aria-hidden="true"></span>Send connector exporter
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
      <span>All times are UTC.</span>
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
