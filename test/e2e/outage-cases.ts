/** Outages as an exporter sees them, and who must be told of each. */
import type { Reason, StepName } from '../../src/model/words.js';

/** A Send connector and a destination of it; `fails` is what the visits of it end with while the outage lasts. */
export type Pair = {
  readonly connector: string;
  readonly destination: string;
  readonly server?: string;
  /** No errors of Exchange, whatever the visits say; or a single one. */
  readonly quiet?: true;
  readonly once?: true;
  readonly fails?: readonly [StepName, Reason, detail?: string];
  readonly certificateExpired?: true;
};

export type Told = Readonly<Record<'team' | 'warnings' | 'log', readonly string[]>>;

export type OutageCase = {
  readonly name: string;
  /** Part of every name in this outage, so that its notifications are told from those of the others. */
  readonly server: string;
  readonly pairs: readonly Pair[];
  readonly probing?: false;
  /** Begins when the outage of this server is over: alerts about servers share one notification. */
  readonly after?: string;
  readonly exporter?: 'down' | 'source gone' | 'not saved';
  /** Names of alerts that reach each receiver; nothing else may. */
  readonly told: Told;
  /** What was silenced, and is named in the same message when the outage is over. */
  readonly overBesides?: readonly string[];
  /** No visit tells when it is over: its alerts end an hour after the last error. */
  readonly endsUnseen?: true;
};

const told = (names: Partial<Told>): Told => ({ team: [], warnings: [], log: [], ...names });

const ok = (connector: string, destination: string): Pair => ({ connector, destination, quiet: true });

function oneDestination(
  name: string,
  number: string,
  fails: Pair['fails'],
  more: Partial<Pair> = {},
  warnings: readonly string[] = [],
): OutageCase {
  return {
    name,
    server: `exch-${number}`,
    pairs: [
      {
        connector: `To Partner ${number}`,
        destination: `10.${Number(number)}.0.1:25`,
        ...(fails && { fails }),
        ...more,
      },
      ok(`Internet ${number}`, `10.${Number(number)}.0.2:25`),
    ],
    told: told({ team: ['DestinationDown'], warnings }),
  };
}

export const outageCases: readonly OutageCase[] = [
  oneDestination('one destination refuses the connection', '01', ['tcp', 'refused']),
  oneDestination('one smart host has lost its name', '02', ['dns', 'name_not_found'], {
    destination: 'relay-02.contoso.example:25',
  }),
  {
    name: 'a server reaches nothing',
    server: 'exch-03',
    pairs: [
      { connector: 'Internet 03', destination: '10.3.0.1:25', fails: ['tcp', 'timeout'] },
      { connector: 'To Partner 03', destination: '10.3.0.2:25', fails: ['tcp', 'network_unreachable'] },
    ],
    told: told({ team: ['ServerEgressDown'] }),
  },
  oneDestination('a smart host refuses us in its banner', '04', ['banner', 'banner_5xx', '554 5.7.1 blocked']),
  oneDestination('a certificate has expired', '05', ['tls', 'certificate_expired'], { certificateExpired: true }, [
    'CertificateExpiring',
  ]),
  oneDestination('a certificate is for another name', '06', ['tls', 'certificate_name_mismatch']),
  oneDestination('STARTTLS is not offered any more', '07', ['starttls', 'starttls_not_offered']),
  {
    name: 'all destinations of one connector fail, each for a reason of its own',
    server: 'exch-08',
    pairs: [
      { connector: 'To Partner 08', destination: '10.8.0.1:25', fails: ['tcp', 'refused'] },
      { connector: 'To Partner 08', destination: '10.8.0.2:25', fails: ['tls', 'certificate_untrusted'] },
      ok('Internet 08', '10.8.0.3:25'),
    ],
    told: told({ team: ['SendConnectorDown'] }),
    overBesides: ['DestinationDown'],
  },
  {
    name: 'two connectors of a server fail at SMTP and TLS, which is not the server',
    server: 'exch-09',
    pairs: [
      { connector: 'Berlin 09', destination: '10.9.0.1:25', fails: ['banner', 'banner_timeout'] },
      { connector: 'Munich 09', destination: '10.9.0.2:25', fails: ['tls', 'certificate_expired'] },
    ],
    told: told({ team: ['DestinationDown'] }),
  },
  {
    name: 'an exporter does not answer',
    server: 'exch-10',
    pairs: [ok('Internet 10', '10.10.0.1:25')],
    exporter: 'down',
    told: told({ team: ['SendConnectorExporterDown'] }),
  },
  {
    name: 'a source cannot be read',
    server: 'exch-11',
    pairs: [ok('Internet 11', '10.11.0.1:25')],
    exporter: 'source gone',
    told: told({ warnings: ['SendConnectorSourceStalled'] }),
  },
  {
    name: 'the ledger cannot be saved',
    server: 'exch-12',
    pairs: [ok('Internet 12', '10.12.0.1:25')],
    exporter: 'not saved',
    told: told({ team: ['StateNotSaved'] }),
  },
  {
    name: 'errors go on and nothing is probed',
    server: 'exch-13',
    pairs: [{ connector: 'Internet 13', destination: '10.13.0.1:25' }],
    probing: false,
    told: told({ team: ['SendConnectorErrorsPersist'], warnings: ['SendConnectorErrorsRepeated'] }),
    endsUnseen: true,
  },
  {
    name: 'one server of two reaches nothing, while the other and the probes reach all',
    server: 'exch-14',
    pairs: ['Internet 14', 'To Partner 14', 'Relay 14'].flatMap((connector, index) => {
      const destination = `10.14.0.${index + 1}:25`;
      return [
        { connector, destination },
        { ...ok(connector, destination), server: 'twin-14' },
      ];
    }),
    after: 'exch-03',
    told: told({ team: ['ServerEgressDown'] }),
    endsUnseen: true,
  },
  {
    name: 'a single error that the next retry heals',
    server: 'exch-15',
    pairs: [{ connector: 'Internet 15', destination: '10.15.0.1:25', once: true }],
    told: told({ log: ['SendConnectorError'] }),
    endsUnseen: true,
  },
  {
    name: 'errors go on while every visit passes',
    server: 'exch-16',
    pairs: [{ connector: 'Internet 16', destination: '10.16.0.1:25' }],
    told: told({ warnings: ['SendConnectorErrorsRepeated'], log: ['ErrorsDespiteHealthyProbes'] }),
    endsUnseen: true,
  },
  {
    name: 'a destination fails its visits, and no mail goes there',
    server: 'exch-17',
    pairs: [{ ...ok('Internet 17', '10.17.0.1:25'), fails: ['tcp', 'timeout'] }],
    told: told({ log: ['DestinationFailingWithoutErrors'] }),
  },
];
