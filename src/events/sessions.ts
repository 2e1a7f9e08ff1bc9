/**
 * Joins the rows of both transport logs by session and gives each attempt and each failure once.
 *
 * Which log tells is decided by rule, once for each session: where a connectivity log of the server is read, it tells of
 * attempts and failed connects; the Send log then adds the name of the connector and what fails after the connect. Where
 * only the Send log is read, it tells all. A fact whose connector or port only the other log knows waits for it, because
 * either log may be written half a minute later than the other.
 *
 * What is open here is entered with the checkpoint of the file that was read, in the same batch: a checkpoint stands
 * behind rows of sessions that are not over, and without them a restart would lose those or count them twice.
 */
import { addressOf, destinationOf } from '../endpoint.js';
import type {
  ConnectivityRow,
  Evidence,
  KnownConnector,
  OpenSession,
  Reason,
  SendRow,
  ServerLogs,
  SessionChange,
  TransportRow,
  WaitingFact,
} from '../model.js';
import { destinationLabelOf, labelOf } from './classify.js';
import { reasonOfDns, reasonOfWinsock } from './connect-reasons.js';
import { remembering } from '../remembering.js';
import { hear } from './send-talk.js';

export type SessionsOptions = {
  /** What was open when it was last saved. */
  readonly saved: readonly (OpenSession | ServerLogs)[];
  /** Name of the Send connector of a GUID, from the inventory. */
  readonly connectorOfGuid: (guid: string) => string | undefined;
  /** Its port for smart hosts, from the inventory. */
  readonly portOfGuid?: ((guid: string) => number | undefined) | undefined;
  /** Told of codes that are not known; they count as `other`. */
  readonly unknownCode: (code: string) => void;
  readonly now: () => number;
  /** Sessions known of one server. */
  readonly limit?: number;
};

export type RowOrigin = {
  /** Server whose log it is, lower case. */
  readonly server: string;
  /** True when it was read as history. */
  readonly history: boolean;
};

export type Sessions = {
  /** Takes in a row and puts into `found` what is complete by it. @returns whether it tells of an attempt or failure */
  readonly read: (row: TransportRow, origin: RowOrigin, found: Evidence[]) => boolean;
  /** Notes that a connectivity log of a server is read, and the time of its first row where it has one. */
  readonly logFound: (server: string, firstAt: number | undefined) => void;
  /** Ends what waited too long. Only to be called when all logs are read to their end. */
  readonly expire: (found: Evidence[]) => void;
  /** Sessions changed since the last call, to be saved with what was found. */
  readonly changes: () => readonly SessionChange[];
};

/** A log is flushed every 30 s; what the other log has not told after this it will not tell. */
const waitMs = 45_000;
/** Exchange gives up on a silent server after 10 minutes (ConnectionInactivityTimeOut). */
const openMs = 15 * 60_000;
/** A session that is over is known for so long, because the other log may be late. */
const keepMs = 120_000;
/** A connectivity log without a row for this long is not written any more: the Send log tells what comes after it. */
const silentMs = 3_600_000;
const [maxConnectors, maxRemotes, maxFacts, maxResolved, maxOver] = [1_000, 8, 64, 512, 5_000];

type Session = { -readonly [Field in keyof OpenSession]: OpenSession[Field] };

type Server = {
  readonly name: string;
  readonly sessions: Map<string, Session>;
  readonly waiting: Set<Session>;
  /** Sessions whose end the connectivity log has told, lately; and those before them. */
  over: Set<string>;
  overBefore: Set<string>;
  readonly connectors: Map<string, KnownConnector>;
  from: number | undefined;
  until: number | undefined;
  /** By our clock: when a connectivity log was found or read last, and when any log of the server was first seen. */
  readAt: number;
  readonly since: number;
  changed: boolean;
};

type State = SessionsOptions & {
  readonly limit: number;
  readonly servers: Map<string, Server>;
  readonly changed: Set<Session>;
};

export function createSessions(options: SessionsOptions): Sessions {
  const state: State = { limit: 10_000, ...options, servers: new Map(), changed: new Set() };
  for (const each of options.saved) restore(state, each);
  return {
    read: (row, origin, found) => {
      const server = serverOf(state, origin.server);
      const session = row.kind === 'send_row' ? sessionForSend(server, row) : sessionFor(state, server, row);
      if (!session) return false;
      const before = found.length;
      const waited = session.waiting?.length ?? 0;
      if (row.kind === 'send_row') readSend(state, server, session, row, origin, found);
      else readConnectivity(state, server, session, row, origin, found);
      const told = found.length > before || (session.waiting?.length ?? 0) > waited;
      keep(state, server, session);
      if (server.sessions.size > state.limit) evict(state, server, found);
      return told;
    },
    logFound: (name, firstAt) => {
      const server = serverOf(state, name);
      server.readAt = state.now();
      if (firstAt !== undefined) noteTime(server, firstAt);
    },
    expire: (found) => {
      for (const server of state.servers.values()) expire(state, server, found);
    },
    changes: () => changesOf(state),
  };
}

// ------------------------------------------------------------------------------------------------ the Send log

/** Rows of sessions that nobody waits for are of no interest: mail that flows. */
function sessionForSend(server: Server, row: SendRow): Session | undefined {
  const known = server.sessions.get(row.session);
  if (known) return known;
  return row.event === '*' && /^attempting to connect|Failed to connect\./.test(row.text)
    ? openSession(server, row.session)
    : undefined;
}

const failedPattern = /Failed to connect\. Winsock error code: (\d+)/;

function readSend(
  state: State,
  server: Server,
  session: Session,
  row: SendRow,
  origin: RowOrigin,
  found: Evidence[],
): void {
  const failed = row.event === '*' ? failedPattern.exec(row.text) : null;
  if (failed || (row.event === '*' && row.text.startsWith('attempting to connect'))) {
    const destination = destinationLabelOf(row.remote);
    noteSend(state, server, session, row, destination, found);
    session.talk = failed ? undefined : { destination, step: 'connect' };
    if (session.teller !== 'send') return;
    const reason = failed ? winsockReason(state, Number(failed[1]), failed[1] ?? '') : undefined;
    found.push(evidenceOf(server, session.connector ?? '', destination, { reason, at: row.at, ...historyOf(origin) }));
    return;
  }
  if (!session.talk) return;
  const { destination } = session.talk;
  const { talk, failure } = hear(session.talk, row);
  if (talk !== session.talk) touch(state, session);
  session.talk = talk;
  if (failure === undefined) return;
  found.push(
    evidenceOf(server, labelOf(row.connector), destination, { reason: failure, at: row.at, ...historyOf(origin) }),
  );
}

function noteSend(
  state: State,
  server: Server,
  session: Session,
  row: SendRow,
  destination: string,
  found: Evidence[],
): void {
  touch(state, session);
  session.teller ??= isCovered(state, server, row.at) ? 'connectivity' : 'send';
  session.connector = connectorLabelOf(row.connector);
  const remotes = session.remotes ?? [];
  if (!remotes.includes(destination)) session.remotes = [...remotes, destination].slice(-maxRemotes);
  learn(state, server, session, portIn(destination), found);
  settle(state, server, session, found);
}

/** Does a connectivity log of the server tell of what happened then? */
function isCovered(state: State, server: Server, at: number | undefined): boolean {
  if (server.from === undefined) return false;
  if (at !== undefined && at < server.from) return false;
  return state.now() - server.readAt < silentMs || (at ?? 0) <= (server.until ?? 0);
}

// ----------------------------------------------------------------------------------------- the connectivity log

function sessionFor(state: State, server: Server, row: ConnectivityRow): Session | undefined {
  server.readAt = state.now();
  if (row.at !== undefined) noteTime(server, row.at);
  const known = server.sessions.get(row.session);
  if (known || row.direction === '-') return known;
  return openSession(server, row.session);
}

function noteTime(server: Server, at: number): void {
  if (server.from !== undefined && at >= server.from && server.until !== undefined && at <= server.until) return;
  server.from = Math.min(server.from ?? at, at);
  server.until = Math.max(server.until ?? at, at);
  server.changed = true;
}

function readConnectivity(
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
    session.waitingSince ??= state.now();
    server.waiting.add(session);
    settle(state, server, session, found);
  }
}

/** `DnsConnectorDelivery 2f6f0e8e-...;QueueLength=...`: only these two name a Send connector; others are implicit. */
function begin(state: State, server: Server, session: Session, row: ConnectivityRow, found: Evidence[]): void {
  const [, kind = '', id = ''] = /^(\w+)(?:[ ;]+([\w-]+))?/.exec(row.text) ?? [];
  const isSendConnector = kind === 'DnsConnectorDelivery' || kind === 'SmartHostConnectorDelivery';
  session.delivery = (isSendConnector && id !== '' ? `${kind}:${id.toLowerCase()}` : kind).slice(0, 128);
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
    const host = hostNameOf(/\[TargetHost:([^|\]]+):\d+[|\]]/.exec(rest)?.[1]) ?? hostIn(session.resolved, address);
    const reason = winsockReason(state, Number.parseInt(code, 16), `${name}:${code}`);
    return { destination, portKnown: true, attempt: true, reason, host, ...common };
  }
  const status = /^(\w+) reported by /.exec(text)?.[1];
  if (status !== undefined) {
    // The name was not resolved, so there is no end point, and nothing was attempted.
    const reason = reasonOfDns(status) ?? unknown(state, status);
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

const connectorLabelOf = remembering(labelOf);
const addressLabelOf = remembering((text) => addressOf(text) ?? labelOf(text).toLowerCase());
const nameLabelOf = remembering((text) => (addressOf(text) === undefined ? labelOf(text).toLowerCase() : undefined));

function winsockReason(state: State, code: number, text: string): Reason {
  return reasonOfWinsock(code) ?? unknown(state, text);
}

function unknown(state: State, code: string): Reason {
  state.unknownCode(code.slice(0, 64));
  return 'other';
}

// -------------------------------------------------------------------------------------------------- the join

/** Remembers the name and port of a connector, so that only the first of its sessions has to wait for them. */
function learn(state: State, server: Server, session: Session, port: number | undefined, found: Evidence[]): void {
  const { delivery, connector } = session;
  if (delivery === undefined) return;
  const known = server.connectors.get(delivery);
  const learned = { delivery, name: connector ?? known?.name, port: port ?? known?.port };
  if (learned.name === known?.name && learned.port === known?.port) return;
  if (!known && server.connectors.size >= maxConnectors) return;
  server.connectors.set(delivery, learned.name === undefined ? { ...learned, unnamed: known?.unnamed } : learned);
  server.changed = true;
  for (const each of [...server.waiting]) if (each.delivery === delivery) settle(state, server, each, found);
}

/** Gives the facts of a session whose connector and port are known by now; with `atLast` the others too, as they are. */
function settle(state: State, server: Server, session: Session, found: Evidence[], atLast = false): void {
  if (!session.waiting) return;
  const left = session.waiting.filter((fact) => !give(state, server, session, fact, found, atLast));
  if (left.length === session.waiting.length) return;
  state.changed.add(session);
  session.waiting = left.length > 0 ? left : undefined;
  if (left.length > 0) return;
  session.waitingSince = undefined;
  server.waiting.delete(session);
}

/** @returns false while connector or port are not known */
function give(
  state: State,
  server: Server,
  session: Session,
  fact: WaitingFact,
  found: Evidence[],
  atLast = false,
): boolean {
  const known = session.delivery === undefined ? undefined : server.connectors.get(session.delivery);
  const last = atLast || known?.unnamed === true;
  const connector = connectorOf(state, session, known) ?? (last ? fallbackOf(session) : undefined);
  if (connector === undefined) return false;
  const port = known?.port ?? portOf(state, session) ?? (last ? 25 : undefined);
  const destination = fact.portKnown ? fact.destination : endpointFor(session, fact, port);
  if (destination === undefined) return false;
  if (fact.attempt) found.push(evidenceOf(server, connector, destination, { ...fact, reason: undefined }));
  if (fact.reason !== undefined) found.push(evidenceOf(server, connector, destination, fact));
  return true;
}

function connectorOf(state: State, session: Session, known: KnownConnector | undefined): string | undefined {
  if (session.connector !== undefined) return session.connector;
  const guid = session.delivery?.split(':')[1];
  const listed = guid === undefined ? undefined : state.connectorOfGuid(guid);
  return listed === undefined ? known?.name : connectorLabelOf(listed);
}

/** What stands for a connector that nothing names: its GUID, or the implicit connector of mail within the organisation. */
function fallbackOf({ delivery }: Session): string {
  if (delivery === undefined) return labelOf(undefined);
  const [kind = '', guid] = delivery.split(':');
  if (guid !== undefined) return guid;
  return kind === 'ShadowRedundancy' ? 'Shadow Redundancy Send Connector' : 'Intra-Organization SMTP Send Connector';
}

function portOf(state: State, session: Session): number | undefined {
  const guid = session.delivery?.split(':')[1];
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

function portIn(destination: string): number | undefined {
  const port = /:(\d{1,5})$/.exec(destination)?.[1];
  return port === undefined ? undefined : Number(port);
}

type Telling = Pick<WaitingFact, 'reason' | 'at' | 'history' | 'host'>;

function evidenceOf(server: Server, connector: string, destination: string, telling: Telling): Evidence {
  const { reason, at, history, host } = telling;
  const common = { server: server.name, connector, destination, at, ...(host !== undefined && { host }) };
  const more = history === true ? { history } : {};
  return reason === undefined
    ? { kind: 'connection_attempt', ...common, ...more }
    : { kind: 'connection_failure', ...common, reason, ...more };
}

function historyOf({ history }: RowOrigin): { readonly history?: true } {
  return history ? { history: true } : {};
}

// ---------------------------------------------------------------------------------------- what is open, bounded

function serverOf(state: State, name: string): Server {
  const known = state.servers.get(name);
  if (known) return known;
  const server: Server = {
    name,
    sessions: new Map(),
    waiting: new Set(),
    over: new Set(),
    overBefore: new Set(),
    connectors: new Map(),
    from: undefined,
    until: undefined,
    readAt: -Infinity,
    since: state.now(),
    changed: false,
  };
  state.servers.set(name, server);
  return server;
}

/** The row that opens it touches it. All fields are there from the first: objects of one shape are far cheaper. */
function openSession(server: Server, id: string): Session {
  const session: Session = {
    server: server.name,
    session: id,
    touchedAt: 0,
    teller: undefined,
    connector: undefined,
    remotes: undefined,
    talk: undefined,
    delivery: undefined,
    nextHop: undefined,
    resolved: undefined,
    waiting: undefined,
    waitingSince: undefined,
  };
  server.sessions.set(id, session);
  return session;
}

function touch(state: State, session: Session): void {
  session.touchedAt = state.now();
  state.changed.add(session);
}

function noteOver(server: Server, session: Session): void {
  server.over.add(session.session);
  // Letting go of half at once is cheap; taking the first out of a set again and again is not.
  if (server.over.size < maxOver) return;
  server.overBefore = server.over;
  server.over = new Set();
}

function isOver(server: Server, session: Session): boolean {
  return server.over.has(session.session) || server.overBefore.has(session.session);
}

/** Lets go of a session that nothing more can come of. */
function keep(state: State, server: Server, session: Session): void {
  if (isNeeded(state, server, session)) return;
  server.sessions.delete(session.session);
  state.changed.add(session);
}

function isNeeded(state: State, server: Server, session: Session): boolean {
  if (session.talk || session.waiting) return true;
  // A connectivity log that begins just now must not tell once more what the Send log has told.
  if (session.teller === 'send') return server.from !== undefined || state.now() - server.since < openMs;
  return !isOver(server, session);
}

function expire(state: State, server: Server, found: Evidence[]): void {
  const now = state.now();
  for (const session of [...server.waiting]) {
    if (now - (session.waitingSince ?? now) < waitMs) continue;
    giveUpNaming(server, session);
    settle(state, server, session, found, true);
    keep(state, server, session);
  }
  for (const session of [...server.sessions.values()]) {
    const isOpen = session.talk !== undefined || (session.delivery !== undefined && !isOver(server, session));
    const isOld = now - session.touchedAt > (isOpen ? openMs : keepMs);
    if (isOld && !session.waiting) drop(state, server, session, found);
  }
}

/** Its later sessions do not wait any more, until something names it after all. */
function giveUpNaming(server: Server, { delivery }: Session): void {
  if (delivery === undefined) return;
  const known = server.connectors.get(delivery);
  if (known?.unnamed === true || (!known && server.connectors.size >= maxConnectors)) return;
  server.connectors.set(delivery, { ...known, delivery, unnamed: true });
  server.changed = true;
}

/** The oldest tenth goes when there are too many: what they wait for is given as it is. */
function evict(state: State, server: Server, found: Evidence[]): void {
  let left = Math.ceil(state.limit / 10);
  for (const session of server.sessions.values()) {
    if (left-- === 0) return;
    if (session.waiting) {
      giveUpNaming(server, session);
      settle(state, server, session, found, true);
    }
    drop(state, server, session, found);
  }
}

/** A talk that was cut off at a refusal: nobody went on, so it was a failure. */
function drop(state: State, server: Server, session: Session, found: Evidence[]): void {
  const { talk, connector } = session;
  if (talk?.suspect !== undefined && connector !== undefined) {
    found.push(evidenceOf(server, connector, talk.destination, { reason: talk.suspect, at: session.touchedAt }));
  }
  server.waiting.delete(session);
  server.sessions.delete(session.session);
  state.changed.add(session);
}

// ------------------------------------------------------------------------------------------------ saved and back

function changesOf(state: State): SessionChange[] {
  const changes: SessionChange[] = [];
  for (const session of state.changed) {
    const isOpen = state.servers.get(session.server)?.sessions.get(session.session) === session;
    changes.push({ key: `${session.server}\n${session.session}`, json: isOpen ? JSON.stringify(session) : undefined });
  }
  state.changed.clear();
  for (const server of state.servers.values()) {
    if (!server.changed) continue;
    server.changed = false;
    const { name, from, until, connectors } = server;
    const saved: ServerLogs = { server: name, from, until, connectors: [...connectors.values()] };
    changes.push({ key: name, json: JSON.stringify(saved) });
  }
  return changes;
}

function restore(state: State, saved: OpenSession | ServerLogs): void {
  const server = serverOf(state, saved.server);
  if ('session' in saved) {
    const session: Session = { ...saved };
    server.sessions.set(session.session, session);
    if (session.waiting) server.waiting.add(session);
    return;
  }
  server.from = saved.from;
  server.until = saved.until;
  for (const each of saved.connectors) server.connectors.set(each.delivery, each);
}
