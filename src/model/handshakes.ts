/** Failed TLS handshakes on a listener of this exporter: by whom, why, and how often. */

import { withoutMapping } from './endpoint.js';

/** Why: a closed list, the label `reason`. */
export const handshakeFailures = [
  'no_client_certificate',
  'unknown_authority',
  'expired',
  'name_not_allowed',
  'not_trusted',
  'protocol_version',
  'plain_text',
  'gone',
  'other',
] as const;

export type HandshakeFailure = (typeof handshakeFailures)[number];

export type HandshakeCounts = Readonly<Record<HandshakeFailure, number>>;

/** What a person reads in the log, with the remedy. */
const words: Readonly<Record<HandshakeFailure, string>> = {
  no_client_certificate: 'the client showed no certificate; give it one of the authority that this listener asks for',
  unknown_authority: 'the certificate of the client is of another authority than this listener trusts',
  expired: 'the certificate of the client has expired or is not valid yet',
  name_not_allowed: 'the certificate of the client has none of the names in client_allowed_sans',
  not_trusted: 'the client does not trust the certificate of this listener; give it the authority, or the right name',
  protocol_version: 'the client offers no TLS version or no cipher suite that this listener accepts',
  plain_text: 'the client speaks no TLS; switch TLS on in the client, for instance with https:// in its address',
  gone: 'the client went, or fell silent, before the handshake was over',
  other: 'the handshake failed',
};

/** What Node says of a connection: the error of the handshake, and why the certificate of the client is not believed. */
type Failed = {
  readonly error?: (NodeJS.ErrnoException & { readonly reason?: string }) | undefined;
  /** A code, whatever its type says. */
  readonly authorizationError?: Error | string | null | undefined;
};

export function handshakeFailureOf({ error, authorizationError }: Failed): HandshakeFailure {
  if (authorizationError) return ofCertificate(String(authorizationError));
  const { code = '' } = error ?? {};
  if (isClearText(code)) return 'plain_text';
  return byCode.find(([pattern]) => pattern.test(code))?.[1] ?? 'other';
}

const byCode: readonly (readonly [RegExp, HandshakeFailure])[] = [
  [/^ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE$/, 'no_client_certificate'],
  [/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|PROTOCOL_VERSION|NO_SHARED_CIPHER/, 'protocol_version'],
  // The alerts of RFC 8446, section 6.2, about the certificate of a server.
  [/ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)/, 'not_trusted'],
  [/^(?:ECONNRESET|EPIPE|ETIMEDOUT|ERR_TLS_HANDSHAKE_TIMEOUT|ERR_SSL_UNEXPECTED_EOF_WHILE_READING)$/, 'gone'],
];

/** The codes of OpenSSL's verification. */
function ofCertificate(code: string): HandshakeFailure {
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') return 'expired';
  return /ISSUER_CERT|SELF_SIGNED|LEAF_SIGNATURE|SIGNATURE_FAILURE|CERT_UNTRUSTED/.test(code)
    ? 'unknown_authority'
    : 'other';
}

/**
 * What OpenSSL says of a first record that is none. It knows GET, HEAD, POST, PUT and CONNECT in capitals; every other
 * beginning in clear text (`get`, OPTIONS, a line end ahead of the request) has a "wrong version", where a letter stands.
 */
export function isClearText(code: string | undefined): boolean {
  return clearTextCodes.has(code);
}

const clearTextCodes: ReadonlySet<string | undefined> = new Set([
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_HTTPS_PROXY_REQUEST',
  'ERR_SSL_WRONG_VERSION_NUMBER',
]);

export type Handshakes = {
  /** Notes that the listener speaks TLS: from then on there is something to count. */
  readonly expected: () => void;
  /** Counts and logs a failure. @param client its address */
  readonly failed: (failed: Failed, client: string | undefined) => void;
  /** The same of a client that may not enter, though its handshake succeeded. */
  readonly refused: (failure: HandshakeFailure, client: string | undefined) => void;
  /** Since the start; undefined for a listener that never spoke TLS. */
  readonly counts: () => HandshakeCounts | undefined;
};

/** So many clients are named within a minute; whoever fails besides is only counted, for the log must not be flooded. */
const [mostNamed, namedMs] = [16, 60_000];

type Say = (message: string, fields: Readonly<Record<string, unknown>>) => void;

/**
 * @param listener the label: `web`, or the name of a source
 * @param log says the same once a minute
 */
export function createHandshakes(
  listener: string,
  log: { readonly warn: Say; readonly debug: Say },
  now = () => performance.now(),
): Handshakes {
  const counts = Object.fromEntries(handshakeFailures.map((each) => [each, 0])) as Record<HandshakeFailure, number>;
  let isExpected = false;
  let named = new Set<string>();
  let namedSince = -Infinity;

  const nameOf = (client: string): string => {
    if (now() - namedSince > namedMs) [named, namedSince] = [new Set(), now()];
    if (named.size < mostNamed) named.add(client);
    return named.has(client) ? client : 'others';
  };
  const refused = (failure: HandshakeFailure, client = 'unknown', problem = words[failure]): void => {
    counts[failure]++;
    // Balancers open connections and close them, to see whether anybody listens.
    const say = failure === 'gone' ? log.debug : log.warn;
    say('a TLS handshake failed', { listener, client: nameOf(withoutMapping(client)), reason: failure, problem });
  };
  return {
    expected: () => {
      isExpected = true;
    },
    failed: (failed, client) => {
      const failure = handshakeFailureOf(failed);
      const { error, authorizationError } = failed;
      const detail = authorizationError ?? error?.reason ?? error?.message;
      refused(failure, client, failure === 'other' ? `${words.other}: ${String(detail)}` : undefined);
    },
    refused,
    counts: () => (isExpected ? { ...counts } : undefined),
  };
}
