/** The table of Send connectors and destinations, whole on the status page and in part on others. */
import type { VNode } from 'preact';
import { Name, Sentence } from './name.js';
import { contextOf } from './links.js';
import { LongList } from './long-list.js';
import type { PageContext } from '../pages/page.js';
import { ConnectorLink, Moment, StateBadge } from './pieces.js';
import { ErrorsPlot, hourlyOf, ProbeStrip } from './plots.js';
import { troubles, type SortKey } from '../choice.js';
import type { Row } from '../view.js';
import {
  clockOf,
  failuresTextOf,
  originWords,
  passesWith,
  reasonWords,
  sentenceOf,
  stepWords,
  tookOf,
} from './words.js';

/** Link and direction of a column that can be sorted. */
export type Sorting = (key: SortKey) => {
  readonly href: string;
  readonly direction: 'ascending' | 'descending' | undefined;
};

type TableProps = { rows: readonly Row[]; page: PageContext; caption: string; sorting?: Sorting; lean?: boolean };

// Thousands of rows must stay below a megabyte: then each has its state, step and reason, and the sentence is left out.
const sentencesUpTo = 500;

/** @param props.lean for the rows of one Send connector: without its name, and without the sentences */
export function RowTable({ rows, page, caption, sorting, lean = false }: TableProps): VNode {
  const compact = lean || rows.length > sentencesUpTo;
  return (
    <table class={lean ? 'cards rows one' : 'cards rows'}>
      <caption>{caption}</caption>
      <thead>
        <tr>
          <Column name="State" sort="state" sorting={sorting} />
          <Column name={lean ? 'Server' : 'Send connector'} sort="connector" sorting={sorting} />
          <Column name="Destination" sort="destination" sorting={sorting} />
          <Column name="Errors" sort="errors" sorting={sorting} numeric />
          <Column name="Last error" sort="last" sorting={sorting} />
          <th scope="col">Last probe</th>
          <th scope="col">{compact ? 'What to do' : 'What it means'}</th>
        </tr>
      </thead>
      <tbody>
        <LongList items={rows}>{(row) => <TableRow row={row} page={page} compact={compact} lean={lean} />}</LongList>
      </tbody>
    </table>
  );
}

type ColumnProps = { name: string; sort: SortKey; sorting: Sorting | undefined; numeric?: boolean };

function Column({ name, sort, sorting, numeric }: ColumnProps): VNode {
  const link = sorting?.(sort);
  return (
    <th scope="col" class={numeric ? 'n' : undefined} aria-sort={link?.direction}>
      {link === undefined ? (
        name
      ) : (
        <a href={link.href}>
          {name}
          <i aria-hidden="true">{link.direction === undefined ? '' : link.direction === 'ascending' ? ' ↑' : ' ↓'}</i>
        </a>
      )}
    </th>
  );
}

type TableRowProps = { row: Row; page: PageContext; compact: boolean; lean: boolean };

// Kept lean for the same reason: what a phone shows before each value comes from the style.
function TableRow({ row, page, compact, lean }: TableRowProps): VNode {
  return (
    <tr>
      <td>
        <StateBadge state={row.state} />
      </td>
      <td>
        <WhoseRow row={row} page={page} lean={lean} />
      </td>
      <th scope="row">
        <a href={page.links.destination(row.destination)}>
          <Name>{row.destination}</Name>
        </a>
        {row.entry && row.entry.latest.origin !== 'observed' ? (
          <small>{originWords[row.entry.latest.origin]}</small>
        ) : null}
      </th>
      <td class="n">
        {row.errors.toLocaleString('en')}
        {compact ? null : <Failures row={row} />}
        {compact || row.recent.length === 0 ? null : <ErrorsPlot counts={hourlyOf(row.recent, page.now)} />}
      </td>
      <td>
        {row.lastErrorAt === undefined ? (
          <span class="muted">none</span>
        ) : (
          <Moment at={row.lastErrorAt} now={page.now} />
        )}
      </td>
      <td>
        <ProbeCell row={row} now={page.now} />
        {compact || row.notProbed !== undefined ? null : <ProbeStrip outcomes={row.entry?.outcomes ?? []} />}
      </td>
      <td>
        {compact ? null : <Meaning row={row} now={page.now} />}
        {compact && !troubles.includes(row.state) ? null : <NextStep row={row} page={page} bare />}
      </td>
    </tr>
  );
}

function Meaning({ row, now }: { row: Row; now: number }): VNode {
  const { connector, destination, server } = row;
  return (
    <>
      <Sentence text={sentenceOf(row, now)} names={[connector, destination, server]} />{' '}
    </>
  );
}

function WhoseRow({ row: { connector, server }, page, lean }: Omit<TableRowProps, 'compact'>): VNode {
  if (connector === undefined) return <span class="muted">none so far</span>;
  if (lean) return server === undefined ? <span /> : <Name>{server}</Name>;
  return (
    <>
      <ConnectorLink name={connector} page={page} />
      {server === undefined ? null : (
        <small>
          <Name>{server}</Name>
        </small>
      )}
    </>
  );
}

function Failures({ row }: { row: Row }): VNode | null {
  const text = failuresTextOf(row);
  return text === undefined ? null : <small>{text}</small>;
}

function ProbeCell({ row, now }: { row: Row; now: number }): VNode {
  const latest = row.notProbed === undefined ? row.entry?.latest : undefined;
  if (latest === undefined) return <span class="muted">{row.notProbed === undefined ? 'pending' : 'not probed'}</span>;
  if (latest.success) {
    return (
      <span>
        {latest.warning ? passesWith(latest.warning) : 'passes'} <small>in {tookOf(latest.seconds)}</small>
      </span>
    );
  }
  const since = row.entry?.failingSince ?? latest.at;
  return (
    <span>
      {latest.failedStep === undefined ? '' : `${stepWords[latest.failedStep]}: `}
      {reasonWords[latest.reason ?? 'other'].what}
      <small>since {clockOf(since, now)}</small>
    </span>
  );
}

/** The runbook for this row, when there is anything to do. */
export function NextStep({ row, page, bare }: { row: Row; page: PageContext; bare?: boolean }): VNode | null {
  if (row.errors === 0 && !troubles.includes(row.state)) return null;
  const name = runbookFor(row, page);
  const address = name === undefined ? page.links.page('/runbooks') : page.links.runbook(name, contextOf(row));
  return (
    <a class={bare ? undefined : 'next'} href={address}>
      Resolution steps
    </a>
  );
}

/** @returns undefined when none of the runbooks that would fit is installed */
function runbookFor(row: Row, page: PageContext): string | undefined {
  const failing = row.state === 'unreachable' || row.state === 'refusing';
  const fitting = failing
    ? [row.errors > 0 ? 'DestinationDown' : 'DestinationFailingWithoutErrors', 'DestinationDown', 'SendConnectorError']
    : [row.state === 'intermittent' ? 'ErrorsDespiteHealthyProbes' : 'SendConnectorError', 'SendConnectorError'];
  return fitting.find((name) => page.runbooks.has(name));
}
