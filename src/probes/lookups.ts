/** Asks the resolver of the system for the addresses of a name, as every other program of this host does. */
import { promises as dns } from 'node:dns';

export type Lookup = (name: string) => Promise<readonly string[]>;

export async function systemLookup(name: string): Promise<readonly string[]> {
  return (await dns.lookup(name, { all: true, verbatim: true })).map(({ address }) => address);
}

/** Each question holds a thread of four that files are read with too, and where DNS is down for half a minute. */
const most = 2;

/** The same, two names at a time; who asks for a name that is being asked for shares the answer. */
export function fewAtATime(lookup: Lookup): Lookup {
  const asked = new Map<string, Promise<readonly string[]>>();
  const waiting: (() => void)[] = [];
  let running = 0;
  const ask = async (name: string): Promise<readonly string[]> => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await lookup(name);
    } finally {
      // The place goes to the next one, or is free.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
      asked.delete(name);
    }
  };
  return (name) => {
    const known = asked.get(name) ?? ask(name);
    asked.set(name, known);
    return known;
  };
}
