/** What the join of both transport logs keeps in memory: servers, their open sessions and what is known of connectors. */
import type { KnownConnector, OpenSession } from '../../model/sessions.js';
import type { Reason } from '../../model/words.js';
import { isCredible } from '../../runtime/noted-time.js';
import type { ShippedFiles } from './shipped-files.js';

export type SessionsOptions = {
  /** Name of the Send connector of a GUID, from the inventory. */
  readonly connectorOfGuid: (guid: string) => string | undefined;
  /** Its port for smart hosts, from the inventory. */
  readonly portOfGuid?: ((guid: string) => number | undefined) | undefined;
  /** Whether the inventory has a Send connector of this name. */
  readonly isListed?: ((name: string) => boolean) | undefined;
  /** The one name of a server, by any of its names; it may change to a fuller one. */
  readonly nameOfServer?: ((name: string) => string) | undefined;
  /** Told of codes that are not known; they count as `other`. */
  readonly unknownCode: (code: string) => void;
  /** Told of each shipped line that comes after a later one of its file. */
  readonly lateLine?: ((path: string) => void) | undefined;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** A clock that only goes forward, milliseconds: by it sessions wait and end. */
  readonly steady: () => number;
  /** Sessions known of one server. */
  readonly limit: number;
};

export type RowOrigin = {
  /** Server whose log it is, lower case. */
  readonly server: string;
  /** True when it was read as history. */
  readonly history: boolean;
};

/** A log is flushed every 30 s; what the other log has not told after this it will not tell. */
export const waitMs = 45_000;
/** Exchange gives up on a silent server after 10 minutes (ConnectionInactivityTimeOut). */
export const openMs = 15 * 60_000;
/** A session that is over is known for so long, because the other log may be late. */
export const keepMs = 120_000;
/** A connectivity log without a row for this long is not written any more: the Send log tells what comes after it. */
const silentMs = 3_600_000;
/** Exchange 2007, the first to write these logs, is not older. */
const firstLogsAt = Date.UTC(2006, 0);
export const maxConnectors = 1_000;
const maxOver = 5_000;

/** When it was last touched and since when it waits, by the steady clock: symbols, since that clock means nothing to who reads the saved form. */
export const touchedSteadily = Symbol('touched');
export const waitingSteadily = Symbol('waiting');

export type Session = { -readonly [Field in keyof OpenSession]: OpenSession[Field] } & {
  [touchedSteadily]: number;
  [waitingSteadily]: number | undefined;
};

/** What is left of a session that is over: a front end may still tell that it passed its mail on. */
export type EndedSession = Pick<Session, 'connector' | 'delivery'>;

export type Server = {
  readonly name: string;
  readonly sessions: Map<string, Session>;
  readonly waiting: Set<Session>;
  /** Sessions whose end the connectivity log has told, lately; and those before them. */
  over: Map<string, EndedSession>;
  overBefore: Map<string, EndedSession>;
  readonly connectors: Map<string, KnownConnector>;
  from: number | undefined;
  until: number | undefined;
  /** By the steady clock: when a connectivity log was found or read last, and when any log of the server was first seen. */
  readAt: number;
  readonly since: number;
  changed: boolean;
};

export type State = SessionsOptions & {
  readonly servers: Map<string, Server>;
  readonly changed: Set<Session>;
  /** Names of implicit connectors in the language of a server, with the English ones. */
  readonly aliases: Map<string, string>;
  readonly shipped: ShippedFiles;
};

/** @param told any name of the server */
export function serverOf(state: State, told: string): Server {
  const name = state.nameOfServer?.(told) ?? told;
  const known = state.servers.get(name) ?? createServer(state, name);
  const former = name === told ? undefined : state.servers.get(told);
  if (former) moveServer(state, former, known);
  return known;
}

/** A fuller name has been learnt: what was known under the shorter one goes on under it. The ledger has done the same. */
function moveServer(state: State, from: Server, to: Server): void {
  state.servers.delete(from.name);
  for (const session of from.sessions.values()) {
    const same = to.sessions.get(session.session);
    from.waiting.delete(session);
    // Both logs told of it under a name of their own: put together it has what either knows.
    const waiting = [...(session.waiting ?? []), ...(same?.waiting ?? [])];
    const moved: Session = Object.assign(same ?? session, {
      ...session,
      ...(same && told(same)),
      [touchedSteadily]: (same ?? session)[touchedSteadily],
      [waitingSteadily]: same?.[waitingSteadily] ?? session[waitingSteadily],
      server: to.name,
      waiting: waiting.length > 0 ? waiting : undefined,
    });
    to.sessions.set(moved.session, moved);
    if (moved.waiting) to.waiting.add(moved);
    state.changed.add(moved);
  }
  for (const [id, ended] of [...from.overBefore, ...from.over]) if (!endedSession(to, id)) to.over.set(id, ended);
  for (const [delivery, connector] of from.connectors)
    if (to.connectors.size < maxConnectors)
      to.connectors.set(delivery, { ...connector, ...to.connectors.get(delivery) });
  for (const at of [from.from, from.until]) if (at !== undefined) noteTime(state, to, at);
  to.readAt = Math.max(to.readAt, from.readAt);
  state.shipped.rename(from.name, to.name);
  to.changed = true;
}

/** What is known of a session, without the fields that are not. */
function told(session: Session): Partial<Session> {
  return Object.fromEntries(Object.entries(session).filter(([, value]) => value !== undefined));
}

function createServer(state: State, name: string): Server {
  const server: Server = {
    name,
    sessions: new Map(),
    waiting: new Set(),
    over: new Map(),
    overBefore: new Map(),
    connectors: new Map(),
    from: undefined,
    until: undefined,
    readAt: -Infinity,
    since: state.steady(),
    changed: false,
  };
  state.servers.set(name, server);
  return server;
}

/** The row that opens it touches it. All fields are there from the first: objects of one shape are far cheaper. */
export function openSession(server: Server, id: string): Session {
  const session: Session = {
    server: server.name,
    session: id,
    touchedAt: 0,
    teller: undefined,
    connector: undefined,
    remotes: undefined,
    talk: undefined,
    delivery: undefined,
    proxyFor: undefined,
    nextHop: undefined,
    resolved: undefined,
    waiting: undefined,
    waitingSince: undefined,
    [touchedSteadily]: 0,
    [waitingSteadily]: undefined,
  };
  server.sessions.set(id, session);
  return session;
}

export function touch(state: State, session: Session): void {
  session.touchedAt = state.now();
  session[touchedSteadily] = state.steady();
  state.changed.add(session);
}

export function beginWaiting(state: State, session: Session): void {
  if (session.waitingSince !== undefined) return;
  session.waitingSince = state.now();
  session[waitingSteadily] = state.steady();
}

export function noteOver(server: Server, { session, connector, delivery }: Session): void {
  server.over.set(session, { connector, delivery });
  // Letting go of half at once is cheap; taking the first out of a map again and again is not.
  if (server.over.size < maxOver) return;
  server.overBefore = server.over;
  server.over = new Map();
}

export function isOver(server: Server, session: Session): boolean {
  return endedSession(server, session.session) !== undefined;
}

export function endedSession(server: Server, id: string): EndedSession | undefined {
  return server.over.get(id) ?? server.overBefore.get(id);
}

/**
 * Notes a time that the connectivity log of a server tells of. One that is dated wrongly would have it speak for good for
 * what it does not tell: the future, or all the past.
 */
export function noteTime(state: State, server: Server, at: number): void {
  if (!isCredible(at, state.now()) || at < firstLogsAt) return;
  if (server.from !== undefined && at >= server.from && server.until !== undefined && at <= server.until) return;
  server.from = Math.min(server.from ?? at, at);
  server.until = Math.max(server.until ?? at, at);
  server.changed = true;
}

/** @param at by the steady clock */
export function passedSince({ steady }: State, at: number): number {
  return steady() - at;
}

/**
 * A time that was saved, by the steady clock of today. One in the future, or longer ago than any session lasts, was
 * noted by a clock that was wrong, or nobody has looked since: it counts from now.
 */
export function steadyTime({ now, steady }: State, savedAt: number): number {
  const passed = now() - savedAt;
  return steady() - (passed >= 0 && passed <= openMs ? passed : 0);
}

/** Does a connectivity log of the server tell of what happened then? */
export function isCovered(state: State, server: Server, at: number | undefined): boolean {
  if (server.from === undefined) return false;
  if (at !== undefined && at < server.from) return false;
  return passedSince(state, server.readAt) < silentMs || (at ?? 0) <= (server.until ?? 0);
}

/** Says a code or word that is not in our lists. */
export function sayUnknown(state: State, code: string): Reason {
  state.unknownCode(code.slice(0, 64));
  return 'other';
}
