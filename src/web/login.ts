/** Who may read: basic authentication against bcrypt hashes, at a cost that strangers cannot run up. */
import { createHmac, randomBytes } from 'node:crypto';
import bcrypt from 'bcryptjs';

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

/** Wrong passwords from one address before it has to wait, and how fast they are forgiven. */
const allowedFailures = 10;
const forgivenEvery = 6_000;
/** Passwords that wait for their check at once: each takes about 70 ms of a core. */
const waitingChecks = 16;
/** Addresses and logins remembered; the oldest are forgotten first. */
const remembered = 1000;

/**
 * Checked for a name that nobody has, so that names cannot be told apart by time. Salt and hash are drawn by lot: no
 * password is known for it, and none had to be hashed at the start.
 */
const nobody = `$2b$10$${bcrypt.encodeBase64(randomBytes(16), 16)}${bcrypt.encodeBase64(randomBytes(23), 23)}`;

/** A right password is checked once with bcrypt and recognised by a keyed hash from then on, even from an address that must wait. */
export function createLogin({ users, now }: LoginOptions): Login {
  const secret = randomBytes(32);
  const admitted = new Set<string>();
  const failures = new Map<string, { count: number; at: number }>();
  let checks = 0;

  const failuresOf = (address: string): number => {
    const known = failures.get(address);
    return known === undefined ? 0 : Math.max(0, known.count - (now() - known.at) / forgivenEvery);
  };
  return {
    judge: async (authorization, address) => {
      if (users().size === 0) return { kind: 'admitted' };
      const given = credentialsOf(authorization);
      if (given === undefined) return { kind: 'unauthorized' };
      const hash = users().get(given.name);
      const token = createHmac('sha256', secret)
        .update(JSON.stringify([given, hash]))
        .digest('base64');
      if (admitted.has(token)) return { kind: 'admitted' };
      const failed = failuresOf(address);
      if (failed >= allowedFailures || checks >= waitingChecks) {
        return { kind: 'wait', seconds: Math.ceil(((failed - allowedFailures + 1) * forgivenEvery) / 1000) || 1 };
      }
      // Counted before the check, so that many at once are not all let through to it.
      remember(failures, address, { count: failed + 1, at: now() });
      checks += 1;
      const right = await bcrypt.compare(given.password, hash ?? nobody).finally(() => (checks -= 1));
      if (!right || hash === undefined) return { kind: 'unauthorized' };
      failures.delete(address);
      admitted.add(token);
      if (admitted.size > remembered) admitted.delete(first(admitted));
      return { kind: 'admitted' };
    },
  };
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > remembered) map.delete(first(map));
}

function first(keys: Iterable<string | [string, unknown]>): string {
  for (const key of keys) return typeof key === 'string' ? key : key[0];
  return '';
}

/** `Basic base64(name:password)`, or undefined. bcrypt reads 72 bytes: a longer password would match by its beginning. */
function credentialsOf(authorization: string | undefined): { name: string; password: string } | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [, name, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
  if (name === undefined || password === undefined || Buffer.byteLength(password) > 72) return undefined;
  return { name, password };
}
