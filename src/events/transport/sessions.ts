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
import type { Evidence } from '../../model/evidence.js';
import type { JoinState, SessionChange } from '../../model/sessions.js';
import type { ShippedLine, TransportRow } from '../../model/records.js';
import { readConnectivity, sessionFor } from './connectivity-rows.js';
import { sharesConnector } from './delivery.js';
import { connectorName, evidenceOf, settle } from './join.js';
import { changesOf, restore } from './saved.js';
import { readSend, sessionForSend } from './send-rows.js';
import * as known from './servers.js';
import { createShippedFiles } from './shipped-files.js';
import { readLine, serverOfLine } from './shipped-lines.js';
import { failureOf } from './talk.js';

type Options = Omit<known.SessionsOptions, 'limit' | 'steady'> & {
  /** @default now */
  readonly steady?: (() => number) | undefined;
  /** What was open when it was last saved. */
  readonly saved: readonly JoinState[];
  readonly limit?: number;
};

export type Sessions = {
  /** Takes in a row and puts into `found` what is complete by it. @returns whether it tells of an attempt or failure */
  readonly read: (row: TransportRow, origin: known.RowOrigin, found: Evidence[]) => boolean;
  /**
   * The same for a line that was shipped: it may come twice.
   * @param origin its server, where the line does not name it; may be empty
   * @throws UnreadableRecord
   */
  readonly readShipped: (
    line: ShippedLine,
    origin: known.RowOrigin,
    found: Evidence[],
  ) => 'counted' | 'ignored' | 'repeated';
  /** Notes that a connectivity log of a server is read, and the time of its first row where it has one. */
  readonly logFound: (server: string, firstAt: number | undefined) => void;
  /** Ends what waited too long. Only to be called when all logs are read to their end. */
  readonly expire: (found: Evidence[]) => void;
  /** Sessions changed since the last call, to be saved with what was found. */
  readonly changes: () => readonly SessionChange[];
  /** The one name of a connector that a server may name in its own language. */
  readonly nameOf: (connector: string) => string;
};

export function createSessions(options: Options): Sessions {
  const { limit = 10_000, steady = options.now } = options;
  const state: known.State = {
    ...options,
    limit,
    steady,
    servers: new Map(),
    changed: new Set(),
    aliases: new Map(),
    shipped: createShippedFiles(options.lateLine ?? (() => undefined)),
  };
  for (const each of options.saved) restore(state, each);
  const logFound: Sessions['logFound'] = (name, firstAt) => {
    const server = known.serverOf(state, name);
    server.readAt = state.steady();
    if (firstAt !== undefined) known.noteTime(state, server, firstAt);
  };
  return {
    read: (row, origin, found) => readRow(state, row, origin, found),
    readShipped: (line, origin, found) => {
      const { name } = known.serverOf(state, serverOfLine(line, origin.server));
      const row = readLine(state.shipped, name, line, logFound);
      if (typeof row === 'string') return row;
      return readRow(state, row, { server: name, history: origin.history }, found) ? 'counted' : 'ignored';
    },
    logFound,
    expire: (found) => {
      for (const server of state.servers.values()) expire(state, server, found);
    },
    changes: () => changesOf(state),
    nameOf: (connector) => connectorName(state, connector),
  };
}

function readRow(state: known.State, row: TransportRow, origin: known.RowOrigin, found: Evidence[]): boolean {
  const server = known.serverOf(state, origin.server);
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
}

/** Lets go of a session that nothing more can come of. */
function keep(state: known.State, server: known.Server, session: known.Session): void {
  if (isNeeded(state, server, session)) return;
  server.sessions.delete(session.session);
  state.changed.add(session);
}

function isNeeded(state: known.State, server: known.Server, session: known.Session): boolean {
  if (session.talk || session.waiting) return true;
  // A connectivity log that begins just now must not tell once more what the Send log has told.
  if (session.teller === 'send')
    return server.from !== undefined || known.passedSince(state, server.since) < known.openMs;
  return !known.isOver(server, session);
}

function expire(state: known.State, server: known.Server, found: Evidence[]): void {
  const now = state.steady();
  for (const session of [...server.waiting]) {
    const isLate = known.passedSince(state, session[known.waitingSteadily] ?? now) >= known.waitMs;
    // The session of the other server may have come since.
    if (!isLate && session.proxyFor === undefined) continue;
    if (isLate) giveUpNaming(server, session);
    settle(state, server, session, found, isLate);
    keep(state, server, session);
  }
  for (const session of [...server.sessions.values()]) {
    const isOpen = session.talk !== undefined || (session.delivery !== undefined && !known.isOver(server, session));
    const isOld = known.passedSince(state, session[known.touchedSteadily]) > (isOpen ? known.openMs : known.keepMs);
    if (isOld && !session.waiting) drop(state, server, session, found);
  }
}

/** Its later sessions do not wait any more, until something names it after all. */
function giveUpNaming(server: known.Server, { delivery }: known.Session): void {
  if (delivery === undefined || !sharesConnector(delivery)) return;
  const connector = server.connectors.get(delivery);
  if (connector?.unnamed === true || (!connector && server.connectors.size >= known.maxConnectors)) return;
  server.connectors.set(delivery, { ...connector, delivery, unnamed: true });
  server.changed = true;
}

/** The oldest tenth goes when there are too many: what they wait for is given as it is. */
function evict(state: known.State, server: known.Server, found: Evidence[]): void {
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
function drop(state: known.State, server: known.Server, session: known.Session, found: Evidence[]): void {
  const { talk, connector } = session;
  const failure = talk && failureOf(talk);
  if (failure && connector !== undefined) {
    const { reason, destination } = failure;
    const name = connectorName(state, connector);
    found.push(evidenceOf(server, name, destination, { reason, at: session.touchedAt }));
  }
  server.waiting.delete(session);
  server.sessions.delete(session.session);
  state.changed.add(session);
}
