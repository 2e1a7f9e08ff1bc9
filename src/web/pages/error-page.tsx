/** Error pages: never a stack trace, always a next step. */
import type { ComponentChildren } from 'preact';
import type { Answer, PageContext } from './page.js';

/** 404 with links to where the reader may have wanted to go. */
export function notFound(page: PageContext, sentence: ComponentChildren): Answer {
  return {
    status: 404,
    title: 'Not found',
    section: undefined,
    body: (
      <>
        <p class="kicker">404</p>
        <h1>Not found</h1>
        <p>{sentence}</p>
        <ul class="index">
          <li>
            <a href={page.links.page('/')}>Status</a>
            <p>Every Send connector and destination, the latest error first.</p>
          </li>
          <li>
            <a href={page.links.page('/runbooks')}>Runbooks</a>
            <p>
              {page.runbooks.list.length === 0
                ? 'None are installed.'
                : page.runbooks.list.map(({ name }) => name).join(', ')}
            </p>
          </li>
          <li>
            <a href={page.links.page(page.telemetryPath)}>Metrics</a>
            <p>What Prometheus reads.</p>
          </li>
        </ul>
      </>
    ),
  };
}

/** @param reference stands in the log beside the cause, so that the two can be put together */
export function failed(page: PageContext, status: number, reference: string): Answer {
  const ours = status >= 500;
  return {
    status,
    title: ours ? 'This page could not be rendered' : 'This request cannot be answered',
    section: undefined,
    body: (
      <>
        <p class="kicker">{status}</p>
        <h1>{ours ? 'This page could not be rendered' : 'This request cannot be answered'}</h1>
        <p>
          {ours
            ? 'That is a bug in the exporter, not your fault. Its log has the cause under the reference '
            : 'The address or the method is not one of ours. Reference: '}
          <code>{reference}</code>.
        </p>
        <p>
          <a href={page.links.page('/')}>Status</a>
        </p>
      </>
    ),
  };
}
