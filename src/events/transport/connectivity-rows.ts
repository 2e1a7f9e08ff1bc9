/** Takes in the rows of the connectivity log: attempts, failed connects, and next hops that were not resolved. */
import { addressOf, destinationOf } from '../../model/endpoint.js';
import type { ConnectivityRow } from '../../model/records.js';
import type { Evidence } from '../../model/evidence.js';
import type { WaitingFact } from '../../model/sessions.js';
import { remembering } from '../../runtime/memoize.js';
import { labelOf } from '../../model/label.js';
import { reasonOfSocketError, reasonOfWinsock } from './connect-reasons.js';
import { deliveryOf } from './delivery.js';
import { dnsFailureOf } from './dns-failures.js';
import { give, historyOf, learn, portIn, settle } from './join.js';
import {
  beginWaiting,
  noteOver,
  noteTime,
  openSession,
  sayUnknown,
  touch,
  type RowOrigin,
  type Server,
  type Session,
  type State,
} from './servers.js';

const [maxFacts, maxResolved] = [64, 512];

export function sessionFor(state: State, server: Server, row: ConnectivityRow): Session | undefined {
  server.readAt = state.steady();
  if (row.at !== undefined) noteTime(state, server, row.at);
  const known = server.sessions.get(row.session);
  if (known || row.direction === '-') return known;
  return openSession(server, row.session);
}

export function readConnectivity(
  state: State,
  server: Server,
  session: Session,
  row: ConnectivityRow,
  origin: RowOrigin,
  found: Evidence[],
): void {
  touch(state, session);
  if (row.direction === '+') begin(state, server, session, row, found);
  else if (row.direction === '-') noteOver(server, session);
  else {
    const fact = factOf(state, session, row, origin);
    session.teller ??= fact && 'connectivity';
    if (!fact || session.teller === 'send') return;
    if (fact.portKnown && fact.attempt) learn(state, server, session, portIn(fact.destination), found);
    if (!session.waiting && give(state, server, session, fact, found)) return;
    session.waiting = [...(session.waiting ?? []), fact].slice(-maxFacts);
    beginWaiting(state, session);
    server.waiting.add(session);
    settle(state, server, session, found);
  }
}

function begin(state: State, server: Server, session: Session, row: ConnectivityRow, found: Evidence[]): void {
  const { delivery, proxyFor } = deliveryOf(row.text);
  session.delivery = delivery;
  session.proxyFor = proxyFor;
  session.nextHop = row.nextHop.slice(0, 256);
  learn(state, server, session, undefined, found);
}

function factOf(state: State, session: Session, row: ConnectivityRow, origin: RowOrigin): WaitingFact | undefined {
  const { text } = row;
  const common = { at: row.at, ...historyOf(origin) };
  if (text.startsWith('Established connection to ')) {
    const address = text.slice('Established connection to '.length).trim();
    const host = hostIn(session.resolved, address);
    return { destination: addressLabelOf(address), portKnown: false, attempt: true, host, ...common };
  }
  const failed = /^Failed connection to (\S+):(\d{1,5}) \((\w+):([0-9A-F]{8})\)(.*)/i.exec(text);
  if (failed) {
    const [, address = '', port = '', name = '', code = '', rest = ''] = failed;
    const destination = destinationOf({ host: addressLabelOf(address), port: Number(port) });
    const host = hostNameOf(/\[TargetHost:([^|[\]]+):\d+[|\]]/.exec(rest)?.[1]) ?? hostIn(session.resolved, address);
    const known = reasonOfWinsock(Number.parseInt(code, 16)) ?? reasonOfSocketError(name);
    const reason = known ?? sayUnknown(state, `${name}:${code}`);
    return { destination, portKnown: true, attempt: true, reason, host, ...common };
  }
  const unresolved = dnsFailureOf(text);
  if (unresolved) {
    if (unresolved.unknown !== undefined) sayUnknown(state, unresolved.unknown);
    const { reason } = unresolved;
    // The name was not resolved, so there is no end point, and nothing was attempted.
    return { destination: labelOf(row.nextHop).toLowerCase(), portKnown: true, attempt: false, reason, ...common };
  }
  if (text.includes('[')) session.resolved = text.slice(0, maxResolved);
  return undefined;
}

/** The name before the bracket that an address stands in: `mx1.fabrikam.example[203.0.113.25, 203.0.113.26]`. */
function hostIn(resolved: string | undefined, address: string): string | undefined {
  if (resolved === undefined) return undefined;
  for (let at = resolved.indexOf(address); at >= 0; at = resolved.indexOf(address, at + 1)) {
    const isWhole = ' ['.includes(resolved[at - 1] ?? ' ') && ',]'.includes(resolved[at + address.length] ?? ']');
    const open = resolved.lastIndexOf('[', at);
    if (isWhole && open > 0) return hostNameOf(resolved.slice(resolved.lastIndexOf(' ', open) + 1, open));
  }
  return undefined;
}

function hostNameOf(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : nameLabelOf(text);
}

const addressLabelOf = remembering((text) => addressOf(text) ?? labelOf(text).toLowerCase());
const nameLabelOf = remembering((text) => (addressOf(text) === undefined ? labelOf(text).toLowerCase() : undefined));
