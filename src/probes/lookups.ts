/** Resolves a name with the resolver of the system, like every other program on this host. */
import { promises as dns } from 'node:dns';
import { createFewAtOnce } from '../runtime/few-at-once.js';

export type Lookup = (name: string) => Promise<readonly string[]>;

export async function systemLookup(name: string): Promise<readonly string[]> {
  return (await dns.lookup(name, { all: true, verbatim: true })).map(({ address }) => address);
}

/** Each question holds a thread of four that files are read with too, and where DNS is down for half a minute. */
const most = 2;

/** The same, two names at a time; who asks for a name that is being asked for shares the answer. */
export function fewAtATime(lookup: Lookup): Lookup {
  const asked = new Map<string, Promise<readonly string[]>>();
  const few = createFewAtOnce(most);
  return (name) => {
    const known = asked.get(name) ?? few.run(() => lookup(name)).finally(() => asked.delete(name));
    asked.set(name, known);
    return known;
  };
}
