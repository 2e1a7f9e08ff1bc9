/** The sessions of the transport logs that are open, as JSON by the key that their reader gave them. */
import { renameSessions, sessionKeyOf, underOneName } from './renames.js';
import type { JoinState, SessionChange } from '../model/sessions.js';

export type SessionBook = {
  /** @returns the server it is of, by its one name */
  readonly note: (change: SessionChange) => string;
  readonly rename: (short: string) => void;
  readonly all: () => JoinState[];
  /** What has changed since it was asked before: JSON texts, and keys of sessions that are over. */
  readonly takeChanges: () => { readonly put: string[]; readonly drop: string[] };
  /** The saved form: one JSON text each. */
  readonly texts: () => Iterable<string>;
};

/** @param nameOf the one name of a server */
export function createSessionBook(saved: readonly JoinState[], nameOf: (server: string) => string): SessionBook {
  const jsonByKey = new Map(saved.map((each) => [sessionKeyOf(each), JSON.stringify(each)]));
  const changed = new Set<string>();
  return {
    note: (change) => {
      const { key, json } = underOneName(change, nameOf);
      changed.add(key);
      if (json === undefined) jsonByKey.delete(key);
      else jsonByKey.set(key, json);
      return key.split('\n', 1)[0] ?? '';
    },
    rename: (short) => {
      const before = [...jsonByKey.keys()];
      renameSessions(jsonByKey, short, nameOf);
      for (const key of before) if (!jsonByKey.has(key)) changed.add(key);
      for (const key of jsonByKey.keys()) changed.add(key);
    },
    takeChanges: () => {
      const [put, drop]: [string[], string[]] = [[], []];
      for (const key of changed) {
        const json = jsonByKey.get(key);
        if (json === undefined) drop.push(key);
        else put.push(json);
      }
      changed.clear();
      return { put, drop };
    },
    all: () => [...jsonByKey.values()].map((json) => JSON.parse(json) as JoinState),
    texts: () => jsonByKey.values(),
  };
}
