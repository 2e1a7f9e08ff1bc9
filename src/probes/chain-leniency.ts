/** What OpenSSL lets pass in a chain although RFC 5280 forbids it, and other clients refuse. */
import type { X509Certificate } from 'node:crypto';
import { oneLine } from './chain.js';
import { extensionsOf } from './extensions.js';

/** id-kp-serverAuth and anyExtendedKeyUsage (RFC 5280 4.2.1.12). */
const forServers: readonly string[] = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];

/**
 * @param chain one that OpenSSL found good, the leaf first
 * @returns a sentence half for a person with the name of the fault in brackets, or undefined where nothing is found
 */
export function leniencyOf(chain: readonly X509Certificate[]): string | undefined {
  return purposeWords(chain) ?? policyWords(chain);
}

/** OpenSSL takes the purposes of Netscape and of Microsoft for servers of the nineties (SGC) for that of a server. */
function purposeWords(chain: readonly X509Certificate[]): string | undefined {
  const root = chain.length > 1 ? chain.at(-1) : undefined;
  const narrow = chain.find((each) => {
    const { purposes } = extensionsOf(each);
    return each !== root && purposes !== undefined && !purposes.some((purpose) => forServers.includes(purpose));
  });
  return (
    narrow &&
    `${oneLine(narrow.subject)} is not for servers: its extended key usage lacks serverAuth (INVALID_PURPOSE). The operator of the server gets a certificate for servers`
  );
}

/**
 * An issuer may ask that each certificate below it names a policy (requireExplicitPolicy); OpenSSL looks at policies only
 * where a program tells it to. One without any breaks the chain; whether those that are named fit is not judged here.
 * Source: RFC 5280 6.1.3 (e, f), 6.1.4 (i), 6.1.5.
 */
function policyWords(chain: readonly X509Certificate[]): string | undefined {
  const asking = chain.findIndex((each, at) => at > 0 && (extensionsOf(each).explicitPolicyAfter ?? Infinity) <= at);
  const without = asking === -1 ? undefined : chain.slice(0, asking).find((each) => !extensionsOf(each).namesPolicies);
  return (
    without &&
    `${oneLine(chain[asking]?.subject)} requires a policy of every certificate below it, and ${oneLine(without.subject)} has none (NO_EXPLICIT_POLICY). The operator of the server gets a certificate with a policy`
  );
}
