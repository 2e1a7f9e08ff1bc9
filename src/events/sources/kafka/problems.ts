/** Why Kafka is not read, a sentence each with what to do, from the errors of sockets, TLS, logins and of Kafka itself. */
import { kafkaErrors } from './client.js';

const socketWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused; is the broker running, and is this its port',
  ENOTFOUND: 'the name is not known; check its spelling and the DNS of this host',
  EAI_AGAIN: 'the name cannot be resolved now; check the DNS of this host',
  EHOSTUNREACH: 'the host is not reachable; check routes and firewalls between',
  ENETUNREACH: 'the network is not reachable; check routes and firewalls between',
  ETIMEDOUT: 'no answer; check routes and firewalls between',
  ECONNRESET: 'the connection was reset; does this port want TLS (set tls), or is it a plain one (leave tls out)',
  EPIPE: 'the connection was closed; does this port want TLS (set tls), or is it a plain one (leave tls out)',
};

const certificateWords: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed; name it in tls.ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'the authority of its certificate is not trusted; name the authority in tls.ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the authority of its certificate is not known; name the authority in tls.ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the authority of its certificate is not known; name the authority in tls.ca',
  CERT_HAS_EXPIRED: 'its certificate has expired; renew it on the broker',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; compare the clocks of both hosts',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'its certificate is for another name; use the name that is in the certificate, also in advertised.listeners',
};

/** The whole chain of an error, the outermost first. */
function* chainOf(error: unknown): Generator<Record<string, unknown> & Error> {
  for (let at = error, depth = 0; at instanceof Error && depth < 10; depth++) {
    yield at as Record<string, unknown> & Error;
    const { errors } = at as { errors?: readonly unknown[] };
    at = at.cause ?? errors?.[0];
  }
}

/** @param where `host:port` of the broker */
export function connectionProblem(where: string, error: unknown): string {
  for (const each of chainOf(error)) {
    const { code, message, name } = each;
    if (typeof code === 'string' && socketWords[code] !== undefined)
      return `cannot reach ${where}: ${socketWords[code]}?`;
    const certificate = typeof code === 'string' ? certificateWords[code] : undefined;
    if (certificate !== undefined) return `${where}: the certificate is not accepted: ${certificate}`;
    if (code === 'PLT_KFK_AUTHENTICATION') return loginProblem(where, error);
    if (typeof code === 'string' && code.startsWith('ERR_SSL')) return `${where}: ${tlsWords(code, message)}`;
    if (/timed out/i.test(message) && name !== 'AggregateError' && each.cause === undefined)
      return `cannot reach ${where}: no answer in time; check the port, firewalls between, and whether it wants TLS or a login`;
  }
  const innermost = [...chainOf(error)].at(-1);
  const why = innermost?.message ?? String(error);
  return /closed|socket disconnected/i.test(why)
    ? `${where}: the broker closed the connection; does this port want TLS (set tls), a login (set sasl), or a client certificate (tls.cert, tls.key)?`
    : `${where}: ${why}`;
}

function tlsWords(code: string, message: string): string {
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return 'this port does not speak TLS; leave tls out, or name the TLS port';
  if (
    /alert (?:certificate required|bad certificate|handshake failure|unknown ca)/i.test(message) ||
    /CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA/.test(code)
  )
    return 'the broker does not accept our certificate; set tls.cert and tls.key to one that its authority has signed';
  return `TLS failed (${code})`;
}

function loginProblem(where: string, error: unknown): string {
  const offered = [...chainOf(error)].find(({ message }) => message.includes('suitable SASL mechanism'));
  if (offered)
    return `${where}: the login failed: the broker does not offer this sasl.mechanism; set one that it offers`;
  const said = [...chainOf(error)]
    .map(({ serverErrorMessage }) => serverErrorMessage)
    .find((text) => typeof text === 'string');
  const why = typeof said === 'string' && said !== '' ? ` (${said.slice(0, 200)})` : '';
  return `${where}: the login failed${why}; check sasl.username, the password or token file, and sasl.mechanism`;
}

/** What Kafka says of a topic; undefined where it only asks for patience. */
export function topicProblem(topic: string, error: number): string {
  if (error === kafkaErrors.unknownTopicOrPartition)
    return `topic ${topic} does not exist on this cluster (or may not be seen); create it, or correct the name in topics; it is read as soon as it appears`;
  if (error === kafkaErrors.topicNotAllowed || error === kafkaErrors.clusterNotAllowed) return rightsProblem(topic);
  return `topic ${topic}: Kafka answers with error ${error}; it is tried again`;
}

function rightsProblem(topic: string): string {
  return `no right to read topic ${topic}; give this user Read and Describe on it (kafka-acls --add --operation Read --topic ${topic})`;
}

export function partitionProblem(topic: string, partition: number, error: number): string {
  if (error === kafkaErrors.topicNotAllowed) return rightsProblem(topic);
  if (error === kafkaErrors.corruptMessage)
    return `partition ${partition} of ${topic}: Kafka calls its records damaged; look at the log of the broker`;
  return `partition ${partition} of ${topic} cannot be read now (Kafka's error ${error}); it is tried again`;
}

export function leaderProblem(topic: string, partitions: readonly number[]): string {
  const some = partitions.slice(0, 10).join(', ');
  return `no leader for partition${partitions.length === 1 ? '' : 's'} ${some} of ${topic}; look for brokers that are down`;
}
