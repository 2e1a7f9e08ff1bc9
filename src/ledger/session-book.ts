/** The sessions of the transport logs that are open, as JSON by the key that their reader gave them. */
import { renameSessions, sessionKeyOf, underOneName } from './renames.js';
import type { OpenSession, ServerLogs, SessionChange } from '../model/sessions.js';

export type SessionBook = {
  /** @returns the server it is of, by its one name */
  readonly note: (change: SessionChange) => string;
  readonly rename: (short: string) => void;
  readonly all: () => (OpenSession | ServerLogs)[];
  /** The saved form: one JSON text each. */
  readonly texts: () => Iterable<string>;
};

/** @param nameOf the one name of a server */
export function createSessionBook(
  saved: readonly (OpenSession | ServerLogs)[],
  nameOf: (server: string) => string,
): SessionBook {
  const jsonByKey = new Map(saved.map((each) => [sessionKeyOf(each), JSON.stringify(each)]));
  return {
    note: (change) => {
      const { key, json } = underOneName(change, nameOf);
      if (json === undefined) jsonByKey.delete(key);
      else jsonByKey.set(key, json);
      return key.split('\n', 1)[0] ?? '';
    },
    rename: (short) => {
      renameSessions(jsonByKey, short, nameOf);
    },
    all: () => [...jsonByKey.values()].map((json) => JSON.parse(json) as OpenSession | ServerLogs),
    texts: () => jsonByKey.values(),
  };
}
