/** Opens the join of the transport logs with what was saved of it: one for all sources, whichever bring the rows. */
import type { JoinState } from '../../model/sessions.js';
import type { Log } from '../../runtime/log.js';
import { createSessions, type Sessions } from './sessions.js';

type Known = {
  /** Sessions that were open after all that was entered. */
  readonly sessions: () => readonly JoinState[];
  readonly connectorOfGuid: (guid: string) => string | undefined;
  readonly portOfGuid?: (guid: string) => number | undefined;
  readonly isListed?: (name: string) => boolean;
  readonly nameOfServer?: (name: string) => string;
  readonly log: Log;
  readonly now: () => number;
  readonly steady?: (() => number) | undefined;
};

export function openSessions(known: Known): Sessions {
  return createSessions({
    saved: known.sessions(),
    connectorOfGuid: known.connectorOfGuid,
    portOfGuid: known.portOfGuid,
    isListed: known.isListed,
    nameOfServer: known.nameOfServer,
    unknownCode: unknownCodeLog(known.log),
    lateLine: lateLineLog(known.log),
    now: known.now,
    steady: known.steady ?? (() => performance.now()),
  });
}

/** Codes that we do not know are said once each. */
function unknownCodeLog(log: Log): (code: string) => void {
  const told = new Set<string>();
  return (code) => {
    if (told.has(code) || told.size >= 100) return;
    told.add(code);
    log.warn('unknown code in a transport log, counted as "other"; please report it', { code });
  };
}

/** A retry brings some; where a topic has no key most lines are late. */
const manyLateLines = 1_000;

function lateLineLog(log: Log): (path: string) => void {
  let count = 0;
  return (path) => {
    if (++count !== manyLateLines) return;
    const remedy =
      'a Kafka topic needs a key, so that a server has one partition; Lumberjack needs one worker (docs/fleet.md#transport-logs)';
    log.warn('lines of transport logs arrive out of order; their sessions may be misread', { path, remedy });
  };
}
