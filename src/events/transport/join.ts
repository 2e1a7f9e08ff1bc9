/** Combines what both transport logs say about a session: the connector, its port, and the facts that wait for them. */
import { destinationOf } from '../../model/endpoint.js';
import { implicitConnectors, implicitNameOf } from '../../model/implicit-connectors.js';
import type { Evidence } from '../../model/evidence.js';
import type { KnownConnector, WaitingFact } from '../../model/sessions.js';
import { remembering } from '../../runtime/memoize.js';
import { labelOf } from '../../model/label.js';
import { guidOf, implicitConnectorOf, isRelay, sharesConnector } from './delivery.js';
import {
  endedSession,
  maxConnectors,
  waitingSteadily,
  type EndedSession,
  type RowOrigin,
  type Server,
  type Session,
  type State,
} from './servers.js';

/** Remembers the name and port of a connector, so that only the first of its sessions has to wait for them. */
export function learn(
  state: State,
  server: Server,
  session: Session,
  port: number | undefined,
  found: Evidence[],
): void {
  const { delivery, connector } = session;
  if (delivery === undefined || !sharesConnector(delivery)) return;
  const known = server.connectors.get(delivery);
  const learned = { delivery, name: connector ?? known?.name, port: port ?? known?.port };
  if (learned.name === known?.name && learned.port === known?.port) return;
  if (!known && server.connectors.size >= maxConnectors) return;
  server.connectors.set(delivery, learned.name === undefined ? { ...learned, unnamed: known?.unnamed } : learned);
  server.changed = true;
  learnAlias(state, learned);
  for (const each of [...server.waiting]) if (each.delivery === delivery) settle(state, server, each, found);
}

/** Mail within the organisation leaves through one connector: whatever the Send log calls it is its name there. */
export function learnAlias(state: State, { delivery, name }: KnownConnector): void {
  if (name === undefined || !isRelay(delivery) || implicitConnectors.has(implicitNameOf(name))) return;
  const implicit = implicitConnectorOf(delivery);
  if (implicit === undefined || state.isListed?.(name) === true || state.aliases.size >= maxConnectors) return;
  state.aliases.set(name, implicit);
}

/** One name for one connector, also for an implicit one that a server names in its own language. */
export function connectorName(state: State, name: string): string {
  return state.aliases.get(name) ?? implicitNameOf(name);
}

/** Gives the facts of a session whose connector and port are known by now; with `atLast` the others too, as they are. */
export function settle(state: State, server: Server, session: Session, found: Evidence[], atLast = false): void {
  if (!session.waiting) return;
  const left = session.waiting.filter((fact) => !give(state, server, session, fact, found, atLast));
  if (left.length === session.waiting.length) return;
  state.changed.add(session);
  session.waiting = left.length > 0 ? left : undefined;
  if (left.length > 0) return;
  session.waitingSince = undefined;
  session[waitingSteadily] = undefined;
  server.waiting.delete(session);
}

/** @returns false while connector or port are not known */
export function give(
  state: State,
  server: Server,
  session: Session,
  fact: WaitingFact,
  found: Evidence[],
  atLast = false,
): boolean {
  const known = session.delivery === undefined ? undefined : server.connectors.get(session.delivery);
  const last = atLast || known?.unnamed === true;
  const connector =
    connectorOf(state, server, session) ??
    proxiedConnector(state, session, last) ??
    (last ? fallbackOf(session) : undefined);
  if (connector === undefined) return false;
  const port = known?.port ?? portOf(state, session) ?? (last ? 25 : undefined);
  const destination = fact.portKnown ? fact.destination : endpointFor(session, fact, port);
  if (destination === undefined) return false;
  const name = connectorName(state, connector);
  if (fact.attempt) found.push(evidenceOf(server, name, destination, { ...fact, reason: undefined }));
  if (fact.reason !== undefined) found.push(evidenceOf(server, name, destination, fact));
  return true;
}

export const connectorLabelOf = remembering(labelOf);

function connectorOf(state: State, server: Server, { connector, delivery }: EndedSession): string | undefined {
  if (connector !== undefined) return connector;
  const guid = guidOf(delivery);
  const listed = guid === undefined ? undefined : state.connectorOfGuid(guid);
  if (listed !== undefined) return connectorLabelOf(listed);
  return delivery === undefined ? undefined : server.connectors.get(delivery)?.name;
}

/** A front end passes on the mail of another session, perhaps of another server: that one knows the Send connector. */
function proxiedConnector(state: State, { proxyFor }: Session, last: boolean): string | undefined {
  if (proxyFor === undefined) return undefined;
  const [name = '', id = ''] = proxyFor.split(' ');
  for (const server of state.servers.values()) {
    if (!isSameServer(server.name, name)) continue;
    const session = server.sessions.get(id) ?? endedSession(server, id);
    if (session?.delivery === undefined && session?.connector === undefined) continue;
    return connectorOf(state, server, session) ?? (last ? fallbackOf(session) : undefined);
  }
  return undefined;
}

/** One may have its full name and the other not. */
function isSameServer(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}

/** What stands for a connector that nothing names: its GUID, or the implicit connector of its kind of delivery. */
function fallbackOf({ delivery }: EndedSession): string {
  const implicit = delivery === undefined ? undefined : (guidOf(delivery) ?? implicitConnectorOf(delivery));
  return implicit ?? labelOf(undefined);
}

function portOf(state: State, session: Session): number | undefined {
  const guid = guidOf(session.delivery);
  return guid === undefined ? undefined : state.portOfGuid?.(guid);
}

/** The connectivity log does not tell the port of a connection that was established. */
function endpointFor(session: Session, fact: WaitingFact, port: number | undefined): string | undefined {
  const host = fact.destination;
  const bare = host.includes(':') ? `[${host}]:` : `${host}:`;
  const remote = session.remotes?.find((each) => each.startsWith(bare));
  if (remote !== undefined) return remote;
  // Routing by DNS always means port 25.
  if (session.delivery?.startsWith('DnsConnectorDelivery')) return destinationOf({ host, port: 25 });
  return port === undefined ? undefined : destinationOf({ host, port });
}

export function portIn(destination: string): number | undefined {
  const port = /:(\d{1,5})$/.exec(destination)?.[1];
  return port === undefined ? undefined : Number(port);
}

type Telling = Pick<WaitingFact, 'reason' | 'at' | 'history' | 'host'>;

export function evidenceOf(server: Server, connector: string, destination: string, telling: Telling): Evidence {
  const { reason, at, history, host } = telling;
  const common = { server: server.name, connector, destination, at, ...(host !== undefined && { host }) };
  const more = history === true ? { history } : {};
  return reason === undefined
    ? { kind: 'connection_attempt', ...common, ...more }
    : { kind: 'connection_failure', ...common, reason, ...more };
}

export function historyOf({ history }: RowOrigin): { readonly history?: true } {
  return history ? { history: true } : {};
}
