/** Learns the names of servers, and says when everything under a short name moves to the full one. */
import type { Evidence } from '../model/evidence.js';
import { createServerNames, type DeclaredName, type KnownServer } from './server-names.js';

export type Servers = {
  /** The one name of a server, by any of its names. */
  readonly nameOf: (name: string) => string;
  readonly known: () => readonly KnownServer[];
  /** What a batch tells of servers goes before what it counts: the fuller name holds from its first record on. */
  readonly learn: (names: Iterable<string>) => void;
  /** Takes the place of what was declared before. */
  readonly declare: (declared: readonly DeclaredName[]) => void;
  /** Notes a name under which something stands: of all others there is nothing to carry over. */
  readonly noteShort: (name: string) => void;
  /** The same evidence under the one name of its server. */
  readonly underOneName: <Told extends Evidence>(told: Told) => Told;
  /** How often a server has got a fuller name. */
  readonly renames: () => number;
};

/** More servers than any organisation has; what stands under further short names stays there. */
const mostShortNames = 10_000;

/** @param onRenamed told when what stands under a short name stands under the full one from now on */
export function createServers(
  saved: readonly KnownServer[] | undefined,
  onRenamed: (short: string, full: string) => void,
): Servers {
  const names = createServerNames(saved);
  /** Of one label, under which something was told. */
  const shortNames = new Set<string>();
  let renames = 0;
  const noteShort = (name: string): void => {
    if (!name.includes('.') && shortNames.size < mostShortNames) shortNames.add(name);
  };
  const rename = (short: string): void => {
    if (!shortNames.delete(short)) return;
    renames++;
    onRenamed(short, names.nameOf(short));
  };
  return {
    nameOf: names.nameOf,
    known: names.known,
    learn: (met) => {
      for (const name of met) {
        const short = names.learn(name);
        if (short !== undefined) rename(short);
        else noteShort(name);
      }
    },
    declare: (declared) => {
      for (const short of names.declare(declared)) rename(short);
    },
    noteShort,
    underOneName: (told) => {
      const server = names.nameOf(told.server);
      if (server === told.server) return told;
      return { ...told, server, ...('key' in told && { key: { ...told.key, server } }) };
    },
    renames: () => renames,
  };
}
