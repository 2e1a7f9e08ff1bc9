/** `/destinations/:id`: everything known of one destination. */
import type { VNode } from 'preact';
import { Live } from './layout.js';
import { contextOf, wellFormed, type Context } from './links.js';
import { notFound } from './error-page.js';
import type { Answer, Page, PageContext } from './page.js';
import { InlineMoment, StateBadge, Steps, Transcript, VisitHistory } from './pieces.js';
import { Explained } from './explained.js';
import { happeningsAround } from './happenings.js';
import { PathPanel } from './path-panel.js';
import { TimingsPlot } from './plots.js';
import { nearMinutes, TimeLine } from './time-line.js';
import { NextStep, RowTable } from './row-table.js';
import { rowsOf, rowStates, type BoardEntry, type Row, type Visit } from './view.js';
import { ageOf, originWords, reasonWords, sentenceOf, stateWords, stepWords } from './words.js';

export const destinationPage: Page = {
  path: '/destinations{/:name}',
  show(page, { params, query }): Answer {
    const name = params.name ?? query.get('name');
    if (name === null)
      return { status: 302, title: 'Destinations', section: 'status', body: <p />, redirect: page.links.page('/') };
    const rows = rowsOf(page, page.now).filter((row) => wellFormed(row.destination) === wellFormed(name));
    const worst = [...rows].sort((a, b) => rowStates.indexOf(a.state) - rowStates.indexOf(b.state))[0];
    if (!worst) return notFound(page, `No destination is called ${name}.`);
    return {
      status: 200,
      title: `${name}: ${stateWords[worst.state].word}`,
      section: 'status',
      body: <Body page={page} rows={rows} worst={worst} />,
    };
  },
};

function Body({ page, rows, worst }: { page: PageContext; rows: readonly Row[]; worst: Row }): VNode {
  const { entry } = worst;
  return (
    <Live id="now">
      <section class={`hero ${stateWords[worst.state].tone}`}>
        <p class="kicker">Destination</p>
        <h1>
          <code>{worst.destination}</code> <StateBadge state={worst.state} />
        </h1>
        <p>
          <Situation row={worst} page={page} /> <NextStep row={worst} page={page} />
        </p>
        <Explained row={worst} />
      </section>
      {entry ? <Facts entry={entry} now={page.now} /> : null}
      <h2>Time line: errors, what stands within {nearMinutes} minutes of them, and visits</h2>
      <TimeLine
        happenings={happeningsAround(rows, page, page.board.history(worst.destination))}
        page={page}
        label="Time line, newest first"
      />
      <h2>Send connectors with errors on it</h2>
      {rows.some((row) => row.connector !== undefined) ? (
        <div class="scroll" tabIndex={0} role="region" aria-label="Send connectors">
          <RowTable
            rows={rows}
            page={page}
            caption="Send connectors that logged errors on this destination, latest first"
          />
        </div>
      ) : (
        <p class="muted">No Send connector has logged an error on it.</p>
      )}
      {entry ? <Visits entry={entry} page={page} context={contextOf(worst)} /> : null}
      {entry ? <PathPanel ping={entry.ping} path={entry.path} page={page} /> : null}
    </Live>
  );
}

/** What the probe and the ledger say of a row, in two sentences. */
export function Situation({ row, page }: { row: Row; page: PageContext }): VNode {
  const { entry } = row;
  const latest = entry?.latest;
  const failing = row.state === 'unreachable' || row.state === 'refusing';
  return (
    <>
      {failing && latest ? (
        <>
          The probe fails{latest.failedStep === undefined ? '' : ` at ${stepWords[latest.failedStep]}`}:{' '}
          <b>{reasonWords[latest.reason ?? 'other'].what}</b>, since{' '}
          <InlineMoment at={entry.failingSince ?? latest.at} now={page.now} />.{' '}
        </>
      ) : null}
      {row.diagnosis ? null : sentenceOf(row, page.now)}
    </>
  );
}

function Facts({ entry, now }: { entry: BoardEntry; now: number }): VNode {
  const { facts } = entry.latest;
  const expiry = facts.certificateExpiresAt;
  const addresses = facts.addresses ?? [];
  return (
    <dl class="facts">
      <Fact name="Known because">{originWords[entry.latest.origin]}</Fact>
      {facts.address === undefined ? null : <Fact name="Address">{facts.address}</Fact>}
      {addresses.length > 1 ? <Fact name="All addresses">{addresses.join(', ')}</Fact> : null}
      <Fact name="Visits so far">{visitsSoFar(entry)}</Fact>
      <Fact name="Last success">
        {entry.lastSuccessAt === undefined ? 'never' : <InlineMoment at={entry.lastSuccessAt} now={now} />}
      </Fact>
      {entry.failingSince === undefined ? null : (
        <Fact name="Failing since">
          <InlineMoment at={entry.failingSince} now={now} />
        </Fact>
      )}
      {facts.tlsVersion === undefined ? null : (
        <Fact name="TLS">{[facts.tlsVersion, facts.tlsCipher].filter(Boolean).join(', ')}</Fact>
      )}
      {expiry === undefined ? null : (
        <Fact name={expiry < now ? 'Certificate expired' : 'Certificate expires'}>
          <InlineMoment at={expiry} now={now} />
        </Fact>
      )}
    </dl>
  );
}

function visitsSoFar({ probes, failedInARow }: BoardEntry): string {
  const all = probes.toLocaleString('en');
  return failedInARow === 0 ? all : `${all}, the last ${failedInARow.toLocaleString('en')} failed`;
}

function Fact({ name, children }: { name: string; children: VNode | string | undefined }): VNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Visits({ entry, page, context }: { entry: BoardEntry; page: PageContext; context: Context }): VNode {
  return (
    <>
      <h2>Visits</h2>
      <div class="pair">
        <OneVisit title="Last failed visit" visit={entry.lastFailed} page={page} context={context} />
        <OneVisit title="Last good visit" visit={entry.lastGood} page={page} context={context} />
      </div>
      <TimingsPlot outcomes={entry.outcomes ?? []} now={page.now} />
      <VisitHistory visits={page.board.history(entry.destination)} page={page} context={context} />
    </>
  );
}

type OneVisitProps = { title: string; visit: Visit | undefined; page: PageContext; context: Context };

/** One visit with its steps and its conversation. */
export function OneVisit({ title, visit, page, context }: OneVisitProps): VNode {
  return (
    <section class="panel">
      <h3>
        {title} {visit ? <small>{ageOf(visit.at, page.now)}</small> : null}
      </h3>
      {visit ? (
        <>
          <p class="muted">
            Started at <InlineMoment at={visit.at} now={page.now} />
          </p>
          <Steps visit={visit} page={page} context={context} />
          <Transcript visit={visit} label={`${title}: conversation`} />
        </>
      ) : (
        <p class="muted">None so far.</p>
      )}
    </section>
  );
}
