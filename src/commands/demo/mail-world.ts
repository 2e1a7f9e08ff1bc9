/** The mail world of the demo: which server stands where, which Send connectors fail on it, and what should be found. */
import { randomUUID } from 'node:crypto';
import type { Outage } from './outage.js';
import type { Ending } from './ending.js';
import { demoAuthority, type SmtpServer } from './smtp-talk.js';
import { expiredCertificate, healthy, refusing, rude, slowBanner, withoutStartTls } from './smtp-servers.js';

/** One destination of the demo, with a few words on what it is and what the exporter finds. */
type DemoServer = { readonly destination: string; readonly is: string; readonly shows: string };

export type MailWorld = {
  readonly servers: readonly DemoServer[];
  readonly outages: readonly Outage[];
  /** Destinations to name in the configuration: probed although no event names them. */
  readonly configured: readonly string[];
  /** The Send connectors as Get-SendConnector shows them. */
  readonly connectors: readonly NamedConnector[];
  /** Certificate (PEM) of the authority that vouches for the servers. */
  readonly authority: string;
  readonly close: () => Promise<void>;
};

/** The part of an exported Send connector that names it; it has more. */
type NamedConnector = { readonly Name: string; readonly Guid: string };

type Failing = Omit<Outage, 'destination' | 'ending'>;
type Place = {
  readonly open: () => Promise<SmtpServer>;
  readonly is: string;
  readonly shows: string;
  /** What the transport logs tell of a session that fails there. */
  readonly ending?: Ending;
  /** Nobody: it is named in the configuration instead. */
  readonly failing: readonly Failing[];
  /** What its Send connector asks of it, where that is more than to be there. */
  readonly asks?: { readonly RequireTLS: true; readonly TlsAuthLevel?: string };
};

const exch01 = 'EXCH01.contoso.example';
const exch02 = 'EXCH02.contoso.example';

const places: readonly Place[] = [
  { open: healthy, is: 'smart host, healthy', shows: 'no errors, probes pass', failing: [] },
  {
    open: healthy,
    is: 'partner that fails now and then',
    shows: 'errors, but probes pass',
    failing: [{ computer: exch01, connector: 'Outbound to Internet', firstAfter: 6, every: 47 }],
  },
  {
    open: refusing,
    is: 'mail service is stopped',
    shows: 'refused',
    ending: 'refused',
    failing: [
      { computer: exch01, connector: 'To Partner Fabrikam', firstAfter: 1, every: 20 },
      { computer: exch02, connector: 'To Partner Fabrikam', firstAfter: 2.5, every: 31 },
    ],
  },
  {
    // Far longer than the demo lets a probe wait.
    open: () => slowBanner(60_000),
    is: 'overloaded: a minute until its greeting',
    shows: 'banner_timeout',
    ending: 'banner_timeout',
    failing: [{ computer: exch02, connector: 'Smart host Berlin', firstAfter: 2, every: 27 }],
  },
  {
    open: rude,
    is: 'our address is on its block list',
    shows: 'banner_5xx',
    ending: 'banner_5xx',
    failing: [{ computer: exch01, connector: 'To Partner Tailspin Toys', firstAfter: 5, every: 60 }],
  },
  {
    open: withoutStartTls,
    is: 'lost STARTTLS after an update',
    shows: 'starttls_not_offered',
    ending: 'starttls_not_offered',
    failing: [{ computer: exch01, connector: 'To Partner Woodgrove', firstAfter: 3, every: 40 }],
    asks: { RequireTLS: true },
  },
  {
    open: expiredCertificate,
    is: 'certificate has expired',
    shows: 'certificate_expired',
    ending: 'certificate_expired',
    failing: [{ computer: exch02, connector: 'To Branch Office München', firstAfter: 4, every: 53 }],
    asks: { RequireTLS: true, TlsAuthLevel: 'CertificateValidation' },
  },
];

/** Opens all servers on free ports of loopback. */
export async function openMailWorld(): Promise<MailWorld> {
  const opened = await Promise.all(places.map(async (place) => ({ place, server: await place.open() })));
  const all = opened.map(({ place, server: { destination } }) => ({ place, destination }));
  return {
    servers: all.map(({ place: { is, shows }, destination }) => ({ destination, is, shows })),
    outages: all.flatMap(({ place, destination }) =>
      place.failing.map((failing) => ({ ...failing, destination, ending: place.ending ?? 'timeout' })),
    ),
    configured: all.filter(({ place }) => place.failing.length === 0).map(({ destination }) => destination),
    connectors: all.flatMap(({ place, destination }) => connectorsOf(place, destination)),
    authority: demoAuthority().cert,
    close: async () => {
      await Promise.all(opened.map(({ server }) => server.close()));
    },
  };
}

/** The connectors that fail on a place, once each. "Outbound to Internet" delivers by DNS and may meet anybody. */
function connectorsOf({ failing, asks }: Place, destination: string): NamedConnector[] {
  const names = [...new Set(failing.map(({ connector }) => connector))];
  const cut = destination.lastIndexOf(':');
  const toSmartHost = {
    SmartHosts: [`[${destination.slice(0, cut)}]`],
    Port: Number(destination.slice(cut + 1)),
    ...asks,
  };
  return names.map((name) => ({
    Name: name,
    Guid: randomUUID(),
    Enabled: true,
    ...(name === 'Outbound to Internet' ? { DNSRoutingEnabled: true, AddressSpaces: ['SMTP:*;1'] } : toSmartHost),
    SourceTransportServers: [...new Set(failing.map(({ computer }) => computer))],
    Fqdn: 'mail.contoso.example',
    ProtocolLoggingLevel: 'Verbose',
  }));
}
