/** The Send connectors with errors on one destination: who, how many, why, and when last. */
import type { VNode } from 'preact';
import { Name } from './name.js';
import type { PageContext } from '../pages/page.js';
import { ConnectorLink, Moment } from './pieces.js';
import type { Row } from '../view.js';
import { failuresTextOf } from './words.js';

type ErringConnectorsProps = {
  /** Of one destination, latest error first. */
  readonly rows: readonly Row[];
  readonly page: PageContext;
  readonly destination: string;
};

const shownAtMost = 4;

export function ErringConnectors({ rows, page, destination }: ErringConnectorsProps): VNode {
  const named = rows.filter((row) => row.connector !== undefined);
  if (named.length === 0) return <p class="muted">No Send connector has logged an error on it.</p>;
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="Send connectors">
        <table class="cards lean">
          <caption>Send connectors that logged errors on this destination, latest first</caption>
          <thead>
            <tr>
              <th scope="col">Send connector</th>
              <th scope="col">Server</th>
              <th scope="col" class="n">
                Errors
              </th>
              <th scope="col">Attempts in the transport logs</th>
              <th scope="col">Last error</th>
            </tr>
          </thead>
          <tbody>
            {named.slice(0, shownAtMost).map((row) => (
              <ErringRow key={`${row.server ?? ''}\n${row.connector ?? ''}`} row={row} page={page} />
            ))}
          </tbody>
        </table>
      </div>
      {named.length > shownAtMost ? (
        <p>
          <a class="next" href={`${page.links.page('/')}?${new URLSearchParams({ q: destination }).toString()}`}>
            All {named.length.toLocaleString('en')} of them
          </a>
        </p>
      ) : null}
    </>
  );
}

function ErringRow({ row, page }: { row: Row; page: PageContext }): VNode {
  const { connector = '', server } = row;
  return (
    <tr>
      <th scope="row" data-label="Connector">
        <ConnectorLink name={connector} page={page} />
      </th>
      <td data-label="Server">{server === undefined ? null : <Name>{server}</Name>}</td>
      <td data-label="Errors" class="n">
        {row.errors.toLocaleString('en')}
      </td>
      <td data-label="Attempts">{failuresTextOf(row) ?? <span class="muted">none read</span>}</td>
      <td data-label="Last error">
        {row.lastErrorAt === undefined ? (
          <span class="muted">none</span>
        ) : (
          <Moment at={row.lastErrorAt} now={page.now} />
        )}
      </td>
    </tr>
  );
}
