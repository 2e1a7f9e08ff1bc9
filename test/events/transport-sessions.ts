/** Rows of the transport logs for tests, and what the join makes of them. */
import { connectivityLog } from '../../src/events/formats/connectivity-log.js';
import { sendLog } from '../../src/events/formats/send-log.js';
import { createSessions, type Sessions } from '../../src/events/transport/sessions.js';
import type { Evidence } from '../../src/model/evidence.js';
import type { TransportRow } from '../../src/model/records.js';

const at = '2026-11-28T02:10:00.000Z';

export type Said = readonly [event: string, data: string, context?: string];

export type SendSession = {
  readonly connector?: string;
  readonly remote?: string;
  readonly session?: string;
  readonly said: readonly Said[];
};

function cell(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Lines of a Send protocol log: the attempt, and what was said after it. */
export function sendLines({ connector = 'Out', remote = '203.0.113.25:25', session, said }: SendSession): string[] {
  const rows: readonly Said[] = [['*', '', 'attempting to connect'], ['+', ''], ...said];
  return rows.map(([event, data, context = ''], n) =>
    [at, cell(connector), session ?? '08DE53D0A1B2C3D0', n, '', remote, event, cell(data), cell(context)].join(','),
  );
}

/** Lines of a connectivity log. */
export function connectivityLines(
  session: string,
  nextHop: string,
  rows: readonly (readonly [direction: string, text: string])[],
): string[] {
  return rows.map(([direction, text]) => [at, session, 'SMTP', cell(nextHop), direction, cell(text)].join(','));
}

export type Reader = {
  readonly read: (lines: readonly string[], server?: string) => void;
  /** `connector | destination | attempts or reason`: how often, after all that waits was given. */
  readonly told: () => Record<string, number>;
  /** Words that are not in our lists. */
  readonly unknown: readonly string[];
  readonly joined: Sessions;
  /** Lets time pass, and what waits for it happen. */
  readonly pass: (ms: number) => void;
};

/** @param names Send connectors of the inventory, by GUID @param nameOfServer the one name of a server */
export function readerOf(
  names: Readonly<Record<string, string>> = {},
  nameOfServer = (server: string): string => server,
): Reader {
  const found: Evidence[] = [];
  const unknown: string[] = [];
  let now = Date.parse(at);
  const joined = createSessions({
    saved: [],
    connectorOfGuid: (guid) => names[guid],
    isListed: (name) => Object.values(names).includes(name),
    nameOfServer,
    unknownCode: (code) => unknown.push(code),
    now: () => now,
  });
  const pass = (ms: number): void => {
    now += ms;
    joined.expire(found);
  };
  return {
    read: (lines, server = 'exch01') => {
      for (const line of lines) {
        const format = line.slice(0, 60).includes(',SMTP,') ? connectivityLog : sendLog;
        for (const row of format.decode(line)) joined.read(row as TransportRow, { server, history: false }, found);
      }
    },
    told: () => {
      pass(60_000);
      const counts: Record<string, number> = {};
      for (const each of found) {
        if (each.kind !== 'connection_attempt' && each.kind !== 'connection_failure') continue;
        const what = each.kind === 'connection_attempt' ? 'attempts' : each.reason;
        const key = `${each.connector} | ${each.destination} | ${what}`;
        counts[key] = (counts[key] ?? 0) + 1;
      }
      return counts;
    },
    unknown,
    joined,
    pass,
  };
}
