/** What the join of both transport logs saves, and how it is restored after a restart. */
import type { JoinState, ServerLogs, SessionChange } from '../../model/sessions.js';
import { learnAlias } from './join.js';
import {
  noteTime,
  serverOf,
  steadyTime,
  touchedSteadily,
  waitingSteadily,
  type Session,
  type State,
} from './servers.js';

/** Sessions, servers and shipped files changed since the last call. */
export function changesOf(state: State): SessionChange[] {
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
  return [...changes, ...state.shipped.changes()];
}

export function restore(state: State, saved: JoinState): void {
  const server = serverOf(state, saved.server);
  if ('path' in saved) {
    state.shipped.restore({ ...saved, server: server.name });
    // As files do that are taken up again: what is not shipped any more is told by its silence.
    if (saved.log === 'connectivity') server.readAt = state.steady();
    return;
  }
  if ('session' in saved) {
    const session: Session = {
      ...saved,
      server: server.name,
      [touchedSteadily]: steadyTime(state, saved.touchedAt),
      [waitingSteadily]: saved.waitingSince === undefined ? undefined : steadyTime(state, saved.waitingSince),
    };
    server.sessions.set(session.session, session);
    if (session.waiting) server.waiting.add(session);
    return;
  }
  for (const at of [saved.from, saved.until]) if (at !== undefined) noteTime(state, server, at);
  server.changed = false;
  for (const each of saved.connectors) {
    server.connectors.set(each.delivery, each);
    learnAlias(state, each);
  }
}
