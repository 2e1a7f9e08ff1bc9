/** Wording for the steps and reasons of the closed lists, shared by sentences and pages. */
import type { Diagnosis, Reason, StepName } from './words.js';

/** What each step asks. */
export const stepWords: Record<StepName, string> = {
  dns: 'Name resolution',
  tcp: 'TCP connection',
  banner: 'SMTP banner',
  ehlo: 'EHLO',
  starttls: 'STARTTLS',
  tls: 'TLS handshake',
  ehlo_tls: 'EHLO inside TLS',
  quit: 'QUIT',
};

/** What a Send connector does with a destination that fails at this step, before the name of the destination. */
const stepVerbs: Record<StepName, string> = {
  dns: 'cannot reach',
  tcp: 'cannot reach',
  banner: 'is refused by',
  ehlo: 'is refused by',
  starttls: 'fails TLS with',
  tls: 'fails TLS with',
  ehlo_tls: 'is refused by',
  quit: 'is refused by',
};

/** After the connect, silence and a cut are no refusal. */
const verbsAfterConnect: Partial<Record<Reason, string>> = {
  banner_timeout: 'connects, but gets no answer from',
  timeout: 'connects, but gets no answer from',
  closed_by_remote: 'connects, but is cut off by',
  reset: 'connects, but is cut off by',
  not_smtp: 'connects, but gets no SMTP from',
  client_certificate_required: 'fails TLS with',
  tls_handshake: 'fails TLS with',
};

/** The verb that a failed step earns: `cannot reach` only where no connection came about. */
export function failureVerb(step: StepName, reason: Reason): string {
  const connected = stepVerbs[step] === 'is refused by';
  return (connected ? verbsAfterConnect[reason] : undefined) ?? stepVerbs[step];
}

/** What a diagnosis means, in a few words without a name or a time; sentences with both are made by the diagnosis. */
export const diagnosisWords: Record<Diagnosis, string> = {
  destination_down: 'this destination fails: the remote side or the path to it',
  network_path: 'the network on the way: route, firewall or address family',
  name_resolution: 'the name does not resolve',
  smtp_refuses: 'the destination can be reached, but does not accept mail',
  tls: 'the destination can be reached, but TLS fails',
  connector_wide: 'all destinations of this connector fail: look at what they share',
  server_egress: 'this server cannot connect to anything: look at its own network first',
  intermittent: 'errors although the probe passes: intermittent, or only this server or some mail is affected',
  recovered: 'it works again',
  not_probed: 'it is not probed: only the errors are known',
};

/** A reason as the end of a sentence, and what it makes one suspect first. Suspicions: domain study, by Winsock code. */
export const reasonWords: Record<Reason, { readonly what: string; readonly suspect: string }> = {
  refused: {
    what: 'connection refused',
    suspect:
      'The host answers, but nothing accepts mail on this port: SMTP service stopped, wrong port, or a reject rule.',
  },
  timeout: {
    what: 'no answer in time',
    suspect:
      'Packets are dropped: a firewall, a provider that blocks the port, a host that is down, or a wrong address.',
  },
  reset: {
    what: 'connection reset',
    suspect: 'Something cut the connection: SMTP inspection, a limit of the remote side, or a service that crashes.',
  },
  host_unreachable: {
    what: 'host unreachable',
    suspect: 'The last router cannot reach the host: host down, wrong address, or a missing route.',
  },
  network_unreachable: {
    what: 'network unreachable',
    suspect: 'There is no route from here: gateway, VPN, or IPv6 without a route.',
  },
  address_not_available: {
    what: 'address not available',
    suspect: 'The source address does not exist on this host, or the destination is not a usable address.',
  },
  access_denied: {
    what: 'connection forbidden on this host',
    suspect: 'A local firewall or an antivirus rule against mass mailing stops the connection before it leaves.',
  },
  no_buffers: {
    what: 'no free ports or buffers on this host',
    suspect: 'Ports or socket buffers are used up: look for thousands of connections in TIME_WAIT.',
  },
  name_not_found: { what: 'name does not exist', suspect: 'The name is misspelt, was removed, or split DNS hides it.' },
  name_no_address: { what: 'name has no address', suspect: 'The name exists without an A or AAAA record.' },
  name_server_failure: {
    what: 'name server failure',
    suspect: 'The DNS server failed or could not ask the next one; compare its answers with another server.',
  },
  name_timeout: {
    what: 'name server did not answer',
    suspect: 'The DNS server is down, or a firewall drops the question.',
  },
  null_mx: {
    what: 'domain accepts no mail',
    suspect: 'The domain publishes a null MX: it accepts no mail.',
  },
  banner_timeout: {
    what: 'connected, but no SMTP banner',
    suspect: 'The server is overloaded, delays strangers on purpose, or a device holds the connection.',
  },
  banner_4xx: {
    what: 'temporary refusal in the SMTP banner',
    suspect: 'The server is too busy or limits this address; its own words are in the transcript.',
  },
  banner_5xx: {
    what: 'refused in the SMTP banner',
    suspect: 'The server does not accept mail from this address: block list, missing PTR record, or an access rule.',
  },
  not_smtp: {
    what: 'the answer is not SMTP',
    suspect: 'Another service or an inspecting device answers on this port.',
  },
  ehlo_rejected: {
    what: 'EHLO rejected',
    suspect: 'The server does not accept the name we give: check the Fqdn of the Send connector and its DNS.',
  },
  starttls_not_offered: {
    what: 'STARTTLS not offered',
    suspect: 'The server never had it, or an inspecting device strips it from the answer.',
  },
  starttls_rejected: {
    what: 'STARTTLS rejected',
    suspect: 'The server cannot start TLS now, often because it has no usable certificate.',
  },
  tls_handshake: {
    what: 'TLS handshake failed',
    suspect: 'Both sides share no version or cipher, or a device breaks the handshake.',
  },
  certificate_expired: {
    what: 'certificate expired',
    suspect: 'The certificate of the destination has expired: its owner must renew and bind it.',
  },
  certificate_not_yet_valid: {
    what: 'certificate not yet valid',
    suspect: 'The certificate starts later, or a clock is wrong: compare the clocks first.',
  },
  certificate_name_mismatch: {
    what: 'certificate is for another name',
    suspect: 'The connector expects a name (TlsDomain or smart host) that the certificate does not carry.',
  },
  certificate_untrusted: {
    what: 'certificate not trusted',
    suspect: 'An issuer is unknown here or an intermediate certificate is missing.',
  },
  client_certificate_required: {
    what: 'client certificate required',
    suspect:
      'The server ends TLS without a certificate of ours that it accepts: see TlsCertificateName of the connector.',
  },
  auth_rejected: {
    what: 'authentication rejected',
    suspect:
      'The server does not accept the credential or the method: expired password, locked account, or clocks that differ.',
  },
  proxy_failed: {
    what: 'proxied connection failed',
    suspect: 'The front end was reached and could not set up the session with the destination behind it.',
  },
  closed_by_remote: {
    what: 'closed by the remote side',
    suspect: 'The server hung up without a reason: a limit, a block, or an inspecting device.',
  },
  blocked_by_policy: {
    what: 'not probed, by policy',
    suspect: 'This exporter may not connect there: see probe.allow and probe.deny in the configuration.',
  },
  other: { what: 'failed', suspect: 'The error message of the system is in the transcript of the visit.' },
};
