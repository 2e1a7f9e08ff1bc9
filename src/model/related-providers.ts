/** The related events by provider and event ID, each with its area and what it means, from the documentation of Exchange and Windows. */

/** Where to look, in a word. */
type RelatedArea =
  'transport' | 'name resolution' | 'TCP/IP' | 'network card' | 'TLS' | 'certificates' | 'domain' | 'resources';

export type RelatedKind = {
  readonly eventId: number;
  readonly area: RelatedArea;
  /** What happened, in a few words. */
  readonly what: string;
  /** What it makes one suspect, as a sentence. */
  readonly suggests: string;
  /** Insertion string, from 1, that holds the name of the Send connector. */
  readonly connectorAt?: number;
  /** True when it says that something is well again. */
  readonly clears?: boolean;
};

/** Who writes them; the first name is the one that is shown. Compared in lower case. */
export type RelatedProvider = { readonly names: readonly string[]; readonly kinds: readonly RelatedKind[] };

const kind = (
  eventId: number,
  area: RelatedArea,
  what: string,
  suggests: string,
  rest: Pick<RelatedKind, 'connectorAt' | 'clears'> = {},
): RelatedKind => ({ eventId, area, what, suggests, ...rest });

const first = { connectorAt: 1 };

const second = { connectorAt: 2 };

const remoteLimit = 'The remote side hung up: a time-out or a limit of its own, or a firewall between.';

const remoteTls = 'Look at TLS: what the remote side offers in EHLO, its certificate, and devices that change SMTP.';

const ownCertificate =
  'Renew the certificate with the right name, enable it for SMTP, then set TlsCertificateName again.';

const directory = 'Exchange cannot read its configuration: look at the domain controllers and at DNS first.';

const pressure =
  'The server is short of memory or disk: until that is eased, mail is held back whatever the network does.';

const credentials = 'Check the credentials and the mechanism of the smart host, and the clocks of both servers.';

const schannel = 'Versions, ciphers or certificates of the two sides do not fit together.';

/** Sources: Microsoft's pages of the single events, and the event table of the transport service (domain study). */
const transport: readonly RelatedKind[] = [
  kind(
    2000,
    'name resolution',
    'DNS failure of a Send connector',
    'Ask the DNS servers that the transport service uses.',
    first,
  ),
  kind(2003, 'transport', 'authentication failed', credentials, first),
  kind(
    2005,
    'transport',
    'connection ended with an SMTP answer',
    'The answer holds the code that a 2002 lacks.',
    first,
  ),
  kind(2006, 'transport', 'disconnected by the remote server', remoteLimit, first),
  kind(
    2014,
    'TCP/IP',
    'source address cannot be used',
    'SourceIPAddress of the connector is not on this server.',
    second,
  ),
  kind(2015, 'TLS', 'TLS is required and cannot be had', remoteTls, first),
  kind(2016, 'transport', 'credentials could not be initialised', credentials, second),
  kind(2017, 'transport', 'outbound authentication failed', credentials, second),
  kind(
    2018,
    'certificates',
    'direct trust failed',
    'The Edge subscription or the internal certificate is out of date.',
  ),
  kind(
    2022,
    'TLS',
    'certificate check of the remote side failed',
    'Chain, name or end of validity, by TlsAuthLevel.',
    second,
  ),
  kind(2028, 'transport', 'a message keeps resetting the remote side', 'One message, not the path, is the trouble.'),
  kind(5002, 'domain', 'Active Directory not available to routing', directory),
  kind(5014, 'transport', 'connector without source servers', 'The connector names no server that may use it.'),
  kind(
    5015,
    'transport',
    'no route to the source server of a connector',
    'Source servers are gone or cannot be reached.',
  ),
  kind(
    5016,
    'transport',
    'no route to a connector',
    'All source servers of the connector are gone or unreachable.',
    first,
  ),
  kind(
    5019,
    'transport',
    'invalid smart hosts',
    'The list of smart hosts cannot be read: the connector is ignored.',
    second,
  ),
  kind(5023, 'domain', 'routing configuration cannot be read for now', directory),
  kind(5024, 'domain', 'routing configuration cannot be read', directory),
  ...[11005, 11011, 11015, 11016, 11020, 11022].map((id) =>
    kind(id, 'TLS', 'certificate of a partner not accepted', remoteTls),
  ),
  ...[11013, 11014, 11019].map((id) => kind(id, 'TLS', 'no TLS to a secure domain', remoteTls)),
  kind(11026, 'TLS', 'revocation check failed', 'The revocation list cannot be fetched: handshakes get slow.'),
  ...[12012, 12013, 12022].map((id) =>
    kind(id, 'certificates', 'internal transport certificate missing', ownCertificate),
  ),
  kind(12014, 'certificates', 'no certificate with this name for STARTTLS', ownCertificate, second),
  ...[12015, 12016].map((id) => kind(id, 'certificates', 'own certificate expired', ownCertificate)),
  ...[12017, 12018].map((id) => kind(id, 'certificates', 'own certificate expires soon', ownCertificate)),
  ...[12019, 12020].map((id) =>
    kind(id, 'certificates', 'certificate of the remote side expired', 'Its owner must renew it.'),
  ),
  ...[12023, 12024].map((id) => kind(id, 'certificates', 'another certificate is used instead', ownCertificate)),
  kind(12034, 'resources', 'memory is low', pressure),
  kind(15004, 'resources', 'resource pressure increased', pressure),
  kind(15005, 'resources', 'resource pressure decreased', 'Back pressure eases: mail flows again by itself.', {
    clears: true,
  }),
  kind(15006, 'resources', 'disk space is low', pressure),
  kind(15007, 'resources', 'memory of the process is high', pressure),
  kind(7001, 'transport', 'transport service stopped', 'A stop explains errors around it, and silence after it.'),
  ...[7011, 7012, 7014].map((id) =>
    kind(id, 'transport', 'state of the service changed', 'See Get-ServerComponentState: draining or inactive.'),
  ),
  ...[7015, 7016, 7017].map((id) =>
    kind(id, 'transport', 'transport service could not start', 'Read the event itself: nothing is sent until then.'),
  ),
  ...[8010, 8018].map((id) =>
    kind(id, 'transport', 'remote delivery queue in trouble', 'See Get-Queue: LastError holds the code.'),
  ),
  ...[16013, 16015].map((id) =>
    kind(id, 'transport', 'path of the Send protocol log not usable', 'The protocol log is off: reasons are missing.'),
  ),
  ...[16018, 16019].map((id) => kind(id, 'domain', 'configuration could not be loaded', directory)),
  ...[16025, 16026].map((id) =>
    kind(
      id,
      'name resolution',
      'DNS servers of the network card not known',
      'The chosen card is gone or has no DNS servers.',
    ),
  ),
  ...[17004, 17017].map((id) => kind(id, 'resources', 'queue database out of space', pressure)),
  kind(22004, 'transport', 'shadow heartbeat failed', 'A neighbouring Exchange server cannot be reached either.'),
];

const networkCards = [
  'e1cexpress',
  'e1dexpress',
  'e1express',
  'e1iexpress',
  'e1kexpress',
  'e1rexpress',
  'e1sexpress',
  'e2express',
];

const moreCards = ['b57nd60a', 'ixgbn', 'ixgbs', 'l2nd', 'mlx4eth63', 'mlx5', 'netvsc', 'q57nd60a', 'vmxnet3ndis6'];

export const relatedProviders: readonly RelatedProvider[] = [
  ...[
    'MSExchangeTransport',
    'MSExchangeFrontEndTransport',
    'MSExchangeTransportDelivery',
    'MSExchangeTransportSubmission',
    'MSExchangeTransportMailSubmission',
  ].map((name) => ({ names: [name], kinds: transport })),
  {
    names: ['Microsoft-Windows-DNS-Client'],
    kinds: [
      kind(
        1014,
        'name resolution',
        'DNS servers did not answer',
        'Name resolution fails: the name servers are down or cut off.',
      ),
    ],
  },
  {
    names: ['Tcpip', 'Microsoft-Windows-TCPIP'],
    kinds: [
      kind(4227, 'TCP/IP', 'local port used again too soon', 'Too many short connections: ports run out.'),
      kind(
        4231,
        'TCP/IP',
        'no free local port',
        'All local ports are in use: find what holds them, or widen the range.',
      ),
    ],
  },
  {
    names: ['Schannel'],
    kinds: [
      kind(
        36871,
        'TLS',
        'no TLS credential could be made',
        'The certificate or its private key cannot be used by the service.',
      ),
      kind(36874, 'TLS', 'no cipher in common', schannel),
      kind(36882, 'TLS', 'issuer not trusted', 'An issuer or an intermediate certificate is missing here.'),
      kind(36884, 'TLS', 'certificate is for another name', 'The name asked for is not in the certificate.'),
      kind(36887, 'TLS', 'fatal alert received', schannel),
      kind(36888, 'TLS', 'fatal alert sent', schannel),
    ],
  },
  {
    names: ['NETLOGON'],
    kinds: [
      kind(
        5719,
        'domain',
        'no domain controller reachable',
        'The network of the server itself, or its DNS, is in trouble.',
      ),
    ],
  },
  {
    names: ['NIC', ...networkCards, ...moreCards],
    kinds: [
      kind(27, 'network card', 'link down', 'Cable, switch port or virtual network: the server was cut off.'),
      kind(32, 'network card', 'link up', 'The link is back.', { clears: true }),
    ],
  },
];
