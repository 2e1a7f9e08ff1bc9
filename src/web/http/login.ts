/** Who may read: basic authentication against bcrypt hashes, at a cost that strangers cannot run up. */
import { createHmac, randomBytes } from 'node:crypto';
import bcrypt from 'bcryptjs';
import { keepLatest } from '../../runtime/keep-latest.js';
import { createCounter } from './counter.js';
import { networkOf } from './networks.js';
import { createPasswordChecks } from './password-checks.js';

/** What to answer: let in, ask for a password, or ask to come back after so many seconds. */
export type Verdict =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'unauthorized' }
  | { readonly kind: 'wait'; readonly seconds: number };

export type Login = {
  /**
   * @param authorization the header as sent
   * @param address of the remote end, for counting wrong passwords
   */
  readonly judge: (authorization: string | undefined, address: string) => Promise<Verdict>;
};

export type LoginOptions = {
  /** Names and bcrypt hashes in force now; empty: everybody is let in. */
  readonly users: () => ReadonlyMap<string, string>;
  /** Milliseconds; need not be the time of day. */
  readonly now: () => number;
};

/** Different wrong passwords for one name from one sender before it has to wait, and how fast they are forgiven. */
const allowedFailures = 10;
const forgivenEvery = 6_000;
/** Checks of one sender that run or wait at once. */
const checksOfOne = 4;
/** Senders and logins remembered; the oldest are forgotten first. */
const remembered = 1000;

/** A password is checked once with bcrypt and recognised by a keyed hash from then on, right or wrong. */
export function createLogin({ users, now }: LoginOptions): Login {
  const secret = randomBytes(32);
  const keyOf = (...parts: unknown[]): string =>
    createHmac('sha256', secret).update(JSON.stringify(parts)).digest('base64');
  const checks = createPasswordChecks();
  const [admitted, refused] = [createMemory<true>(), createMemory<true>()];
  /** Senders that were let in before: they go first when passwords change. */
  const regulars = createMemory<true>();
  const failures = createFailures(now);
  const underWay = new Map<string, Promise<boolean | undefined>>();
  const checksOf = createCounter();

  /** @returns whether it is right; undefined when too many checks wait */
  const check = (token: string, given: Credentials, { sender, network }: From): Promise<boolean | undefined> => {
    const cost = Math.max(...[...users().values()].map(costOf));
    const hash = users().get(given.name);
    const isFirst = regulars.get(sender) !== undefined;
    const answer = checks.ask({ password: given.password, hash: hash ?? nobodyOf(cost), cost, isFirst, network });
    const pair = keyOf(sender, given.name);
    const ends = [checksOf.begin(sender), checksOf.begin(pair)];
    const known = answer
      .then((isRight) => {
        if (isRight === undefined) return undefined;
        if (isRight && hash !== undefined) {
          admitted.set(token, true);
          regulars.set(sender, true);
          return true;
        }
        refused.set(token, true);
        failures.add(pair);
        return false;
      })
      .finally(() => {
        for (const end of ends) end();
        underWay.delete(token);
      });
    underWay.set(token, known);
    return known;
  };
  return {
    judge: async (authorization, address) => {
      if (users().size === 0) return { kind: 'admitted' };
      const given = credentialsOf(authorization);
      if (given === undefined) return { kind: 'unauthorized' };
      const token = keyOf(given.name, given.password, users().get(given.name));
      if (admitted.get(token)) return { kind: 'admitted' };
      // A stale password that is sent again and again is one guess: it locks nobody out and costs nothing.
      if (refused.get(token)) return { kind: 'unauthorized' };
      const same = underWay.get(token);
      if (same !== undefined) return verdictOf(await same);
      const sender = networkOf(address, { ipv4: 32, ipv6: 64 });
      const pair = keyOf(sender, given.name);
      // With those that are being checked, so that many at once are not all let through to it.
      const failed = failures.of(pair) + checksOf.count(pair);
      if (failed >= allowedFailures)
        return { kind: 'wait', seconds: Math.ceil(((failed - allowedFailures + 1) * forgivenEvery) / 1000) };
      if (checksOf.count(sender) >= checksOfOne) return verdictOf(undefined);
      const network = networkOf(address, { ipv4: 24, ipv6: 64 });
      return verdictOf(await check(token, given, { sender, network }));
    },
  };
}

/** @param isRight undefined when it was not checked */
function verdictOf(isRight: boolean | undefined): Verdict {
  if (isRight === undefined) return { kind: 'wait', seconds: 1 };
  return { kind: isRight ? 'admitted' : 'unauthorized' };
}

/** `$2b$12$...` is of cost 12. */
function costOf(hash: string): number {
  return Number(hash.slice(4, 6));
}

const [lotForSalt, lotForHash] = [randomBytes(16), randomBytes(23)];

/** Checked for a name that nobody has. Salt and hash are drawn by lot: no password is known for it. */
function nobodyOf(cost: number): string {
  const head = `$2b$${String(cost).padStart(2, '0')}$`;
  return `${head}${bcrypt.encodeBase64(lotForSalt, 16)}${bcrypt.encodeBase64(lotForHash, 23)}`;
}

/** How many wrong passwords there were, less those that are forgiven by now. */
function createFailures(now: () => number) {
  const known = createMemory<{ count: number; at: number }>();
  const of = (key: string): number => {
    const last = known.get(key);
    return last === undefined ? 0 : Math.max(0, last.count - (now() - last.at) / forgivenEvery);
  };
  return {
    of,
    add: (key: string): void => {
      known.set(key, { count: of(key) + 1, at: now() });
    },
  };
}

function createMemory<Value>() {
  const map = new Map<string, Value>();
  return {
    get: (key: string): Value | undefined => map.get(key),
    set: (key: string, value: Value): void => {
      keepLatest(map, key, value, remembered);
    },
  };
}

/** Who asks: one sender (an address; in IPv6 a /64), and the network that it takes turns with. */
type From = { readonly sender: string; readonly network: string };

type Credentials = { readonly name: string; readonly password: string };

/** `Basic base64(name:password)`, or undefined. bcrypt reads 72 bytes: a longer password would match by its beginning. */
function credentialsOf(authorization: string | undefined): Credentials | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [, name, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
  if (name === undefined || password === undefined || Buffer.byteLength(password) > 72) return undefined;
  return { name, password };
}
