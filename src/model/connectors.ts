/** What Exchange is configured to do: Send connectors, servers, destinations. */

/** Who told us about a destination. */
export const origins = ['observed', 'inventory', 'configured'] as const;

export type Origin = (typeof origins)[number];

/** A destination to probe, and how its Send connector would connect to it. */
export type Target = {
  /** Label: a normalised end point, or `name:port` when it still has to be resolved. */
  readonly destination: string;
  /** Host name or IP address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly origin: Origin;
  /** Connector settings that change the visit; all optional, with the defaults of a Send connector. */
  readonly settings?: TargetSettings;
};

/** The part of a Send connector that decides how to connect. Source: Get-SendConnector. */
export type TargetSettings = {
  /** Name given in EHLO (Fqdn); default: the name of this host. */
  readonly ehloName?: string;
  readonly forceHelo?: boolean;
  readonly ignoreStartTls?: boolean;
  /** A missing or failing STARTTLS fails the visit (RequireTLS). */
  readonly requireTls?: boolean;
  readonly tlsAuthLevel?: 'EncryptionOnly' | 'CertificateValidation' | 'DomainValidation';
  readonly tlsDomain?: string;
  /** Local address to connect from (SourceIPAddress). */
  readonly sourceAddress?: string;
};

/** A Send connector as the inventory (Get-SendConnector) tells of it. */
export type SendConnector = {
  readonly name: string;
  /** Lower case, without braces; undefined when the export has none. */
  readonly guid: string | undefined;
  readonly enabled: boolean;
  /** True when it looks destinations up in DNS, false when it has smart hosts. */
  readonly dnsRouting: boolean;
  /** Names or addresses, without brackets and without placeholders; empty with DNS routing. */
  readonly smartHosts: readonly string[];
  /** Of the smart hosts; DNS routing always uses 25. */
  readonly port: number;
  /** Domains that it is for, as `contoso.example`, `*.contoso.example` or `*`. */
  readonly addressSpaces: readonly string[];
  /** Servers that send with it, as named by Exchange: short names, lower case. */
  readonly sourceServers: readonly string[];
  readonly requireTls: boolean;
  /** True when the Send protocol log tells of its sessions (ProtocolLoggingLevel Verbose); undefined when not exported. */
  readonly protocolLogging: boolean | undefined;
  /** How it connects. */
  readonly settings: TargetSettings;
};

/** A transport server, where the inventory tells of it. */
export type TransportServer = {
  /** Lower case; in full where the export has it. */
  readonly name: string;
  /** What Exchange calls it: the first label as a rule. Lower case. */
  readonly shortName: string | undefined;
  /** Event level of MSExchangeTransport\SmtpSend as written; undefined when it could not be read. */
  readonly eventLevel: string | undefined;
};
