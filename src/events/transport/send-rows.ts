/** Takes in the rows of the Send protocol log: attempts, failed connects, and what fails after the connect. */
import type { Evidence } from '../../model/evidence.js';
import type { Reason } from '../../model/words.js';
import type { SendRow } from '../../model/records.js';
import { destinationLabelOf } from '../classify.js';
import { reasonOfWinsock } from './connect-reasons.js';
import { connectorLabelOf, connectorName, evidenceOf, historyOf, learn, portIn, settle } from './join.js';
import { attemptBegins } from './notes.js';
import {
  isCovered,
  openSession,
  sayUnknown,
  touch,
  type RowOrigin,
  type Server,
  type Session,
  type State,
} from './servers.js';
import { failureOf, hear, type Failure } from './talk.js';

const maxRemotes = 8;
const failedPattern = /Failed to connect\. Winsock error code: (\d{1,9})/i;

/** Rows of sessions that nobody waits for are of no interest: mail that flows. */
export function sessionForSend(server: Server, row: SendRow): Session | undefined {
  const known = server.sessions.get(row.session);
  if (known) return known;
  return row.event === '*' && (isAttempt(row) || failedPattern.test(row.text))
    ? openSession(server, row.session)
    : undefined;
}

function isAttempt({ event, text }: SendRow): boolean {
  return event === '*' && text.slice(0, attemptBegins.length).toLowerCase() === attemptBegins;
}

export function readSend(
  state: State,
  server: Server,
  session: Session,
  row: SendRow,
  origin: RowOrigin,
  found: Evidence[],
): void {
  const failed = row.event === '*' ? failedPattern.exec(row.text) : null;
  if (failed || isAttempt(row)) {
    // The session goes on with another address: what was suspected of the one before was its failure.
    giveFailure(state, server, session, row, origin, found, session.talk && failureOf(session.talk));
    const destination = destinationLabelOf(row.remote);
    noteSend(state, server, session, row, destination, found);
    session.talk = failed ? undefined : { destination, step: 'connect' };
    if (session.teller !== 'send') return;
    const reason = failed ? winsockReason(state, Number(failed[1]), failed[1] ?? '') : undefined;
    const connector = connectorName(state, session.connector ?? '');
    found.push(evidenceOf(server, connector, destination, { reason, at: row.at, ...historyOf(origin) }));
    return;
  }
  if (!session.talk) return;
  const { talk, failure, unknown } = hear(session.talk, row);
  if (talk !== session.talk) touch(state, session);
  session.talk = talk;
  if (unknown !== undefined) sayUnknown(state, unknown);
  giveFailure(state, server, session, row, origin, found, failure);
}

function giveFailure(
  state: State,
  server: Server,
  session: Session,
  row: SendRow,
  origin: RowOrigin,
  found: Evidence[],
  failure: Failure | undefined,
): void {
  if (!failure) return;
  const connector = connectorName(state, session.connector ?? connectorLabelOf(row.connector));
  const { reason, destination } = failure;
  found.push(evidenceOf(server, connector, destination, { reason, at: row.at, ...historyOf(origin) }));
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

function winsockReason(state: State, code: number, text: string): Reason {
  return reasonOfWinsock(code) ?? sayUnknown(state, text);
}
