/** What ping and path say of a destination. */
import type { VNode } from 'preact';
import type { PathReport, PingReport, ReportState } from '../../model/probes.js';
import type { PageContext } from '../pages/page.js';
import { InlineMoment } from './pieces.js';
import { tookOf } from './words.js';

const stateWords: Record<ReportState, string> = {
  done: 'done',
  no_program: 'no program for it is installed on this host',
  not_permitted: 'this host does not permit it',
  failed: 'it could not be run',
};

type Reports = { ping: PingReport | undefined; path: PathReport | undefined; page: PageContext };

export function PathPanel({ ping, path, page }: Reports): VNode | null {
  if (ping === undefined && path === undefined) return null;
  return (
    <>
      <h2>Ping and path</h2>
      <div class="pair">
        <section class="panel">
          <h3>Ping</h3>
          {ping ? <PingSays ping={ping} page={page} /> : <p class="muted">Not run yet.</p>}
        </section>
        <section class="panel">
          <h3>Path</h3>
          {path ? <Path path={path} page={page} /> : <p class="muted">Not run yet: it follows a failed connection.</p>}
        </section>
      </div>
    </>
  );
}

export function PingSays({ ping, page, named }: { ping: PingReport; page: PageContext; named?: boolean }): VNode {
  const lost = ping.sent - ping.received;
  return (
    <p>
      {named ? 'Ping: ' : ''}
      {ping.state === 'done' ? (
        <>
          <b>
            {ping.received} of {ping.sent} echoes came back
          </b>
          {lost > 0 && ping.sent > 0 ? ` (${Math.round((lost / ping.sent) * 100)} % lost)` : ''}
          {ping.rttSeconds ? `, on average after ${tookOf(ping.rttSeconds.average)}` : ''}
          {ping.received === 0 ? '. Many hosts do not answer ping: by itself this proves nothing' : ''}.
        </>
      ) : (
        <>No measurement: {ping.detail ?? stateWords[ping.state]}.</>
      )}{' '}
      <small>
        <InlineMoment at={ping.at} now={page.now} />
      </small>
    </p>
  );
}

function Path({ path, page }: { path: PathReport; page: PageContext }): VNode {
  if (path.state !== 'done') return <p>No measurement: {path.detail ?? stateWords[path.state]}.</p>;
  return (
    <>
      <p>
        <b>{path.reached ? 'The destination answers' : 'The destination is not seen'}</b>, by {path.program}.{' '}
        <small>
          <InlineMoment at={path.at} now={page.now} />
        </small>
      </p>
      <Hops path={path} />
      <p class="muted">Loss at one hop alone, with clean hops behind it, is harmless.</p>
    </>
  );
}

/** A long way is folded away. */
function Hops({ path: { hops } }: { path: PathReport }): VNode {
  const list = (
    <ol class="hops">
      {hops.map((hop) => (
        <li key={hop.hop} value={hop.hop}>
          {hop.address === undefined ? <span class="muted">no answer</span> : <code>{hop.address}</code>}
          {hop.rttSeconds === undefined ? '' : ` ${tookOf(hop.rttSeconds)}`}
          {hop.lossRatio === undefined || hop.lossRatio === 0 ? '' : `, ${Math.round(hop.lossRatio * 100)} % lost`}
        </li>
      ))}
    </ol>
  );
  if (hops.length <= 5) return list;
  return (
    <details>
      <summary>{`Its ${hops.length} hops`}</summary>
      {list}
    </details>
  );
}
