/**
 * The nouns of the exporter as plain, read-only data, with the closed lists that metrics and pages share.
 * Imports nothing; everything else may import it.
 */

// ---------------------------------------------------------------------------------------------------- events

/** One Windows event, whatever carried it here. */
export type WindowsEvent = {
  readonly kind: 'event';
  /** Provider (event source) name as written, for instance `MSExchangeTransport`. */
  readonly provider: string;
  /** The low 16 bits of the identifier, for instance 2002. */
  readonly eventId: number;
  /** Channel the event was written to, for instance `Application`; empty when the carrier does not say. */
  readonly channel: string;
  /** Computer that logged the event (not the collector), as written; empty when the carrier does not say. */
  readonly computer: string;
  /** Windows' own number of the record, or undefined when the carrier does not have it. */
  readonly recordId: number | undefined;
  /** When the event was logged, milliseconds since 1970 UTC; undefined when absent or without a time zone. */
  readonly time: number | undefined;
  /** Insertion strings: index 0 is %1. A string that the carrier dropped is undefined. */
  readonly values: readonly (string | undefined)[];
  /** The finished text in the language of the server, when the carrier has it. */
  readonly message: string | undefined;
};

/** One row of the SMTP Send protocol log that may matter. */
export type SendRow = {
  readonly kind: 'send_row';
  /** Name of the Send connector as written. */
  readonly connector: string;
  readonly session: string;
  readonly at: number | undefined;
  /** `ip:port` of the remote server as written. */
  readonly remote: string;
  /** `>` sent, `<` received, `*` information, `-` disconnected, `+` connected. */
  readonly event: '>' | '<' | '*' | '-' | '+';
  /** What was said, for `>` and `<`; else the context. */
  readonly text: string;
  /** What stands beside the context of a `*`, where anything does: the status of a certificate, for one. */
  readonly data?: string;
};

/** One row of the connectivity log that may matter. */
export type ConnectivityRow = {
  readonly kind: 'connectivity_row';
  readonly session: string;
  readonly at: number | undefined;
  /** Domain of the recipients, or the smart host as the connector names it. */
  readonly nextHop: string;
  /** `+` begun, `>` told, `-` ended. */
  readonly direction: '+' | '>' | '-';
  readonly text: string;
};

export type TransportRow = SendRow | ConnectivityRow;

/** What a format makes of one record. */
export type Decoded = WindowsEvent | TransportRow;

/** Windows' identity of one event; with a record ID it tells a second delivery from a second event. */
export type RecordKey = {
  readonly server: string;
  readonly channel: string;
  readonly recordId: number | undefined;
  readonly time: number | undefined;
};

/** Record IDs that follow one another without a gap, read one after the other from one log of one server. */
export type RecordRun = {
  readonly server: string;
  readonly channel: string;
  readonly first: number;
  readonly last: number;
  /** When the first and the last of them were logged, milliseconds since 1970 UTC. */
  readonly firstAt: number | undefined;
  readonly lastAt: number | undefined;
};

/** Event 2002: a Send connector could not connect to a destination. */
export type ConnectionError = {
  readonly kind: 'connection_error';
  readonly key: RecordKey;
  /** Lower case name of the server that logged it. */
  readonly server: string;
  /** Name of the Send connector as written, or `unknown` when only an unreadable message named it. */
  readonly connector: string;
  /** Normalised end point, for instance `203.0.113.25:25` or `[2001:db8::1]:25`. */
  readonly destination: string;
  /** When it was logged, milliseconds since 1970 UTC; undefined when the carrier does not say. */
  readonly at: number | undefined;
};

/** A Send connector tried to connect to a destination; source: the transport logs. */
export type ConnectionAttempt = {
  readonly kind: 'connection_attempt';
  /** Lower case name of the server that logged it. */
  readonly server: string;
  readonly connector: string;
  /** Normalised end point, as in a connection error. */
  readonly destination: string;
  /** Name of the remote host, where the log tells it. */
  readonly host?: string | undefined;
  /** When it was logged, milliseconds since 1970 UTC. */
  readonly at: number | undefined;
  /** True when it was read as history and is handed over later. */
  readonly history?: boolean;
};

/** It came to nothing, and why; source: the transport logs. Every failed connect is an attempt of its own as well. */
export type ConnectionFailure = {
  readonly kind: 'connection_failure';
  readonly server: string;
  readonly connector: string;
  /** Normalised end point, or the domain of the next hop when its name could not be resolved. */
  readonly destination: string;
  readonly host?: string | undefined;
  readonly reason: Reason;
  readonly at: number | undefined;
  readonly history?: boolean;
};

/** Another event that may explain an error; the closed list is in related-events.ts. */
export type RelatedEvent = {
  readonly kind: 'related_event';
  readonly key: RecordKey;
  readonly server: string;
  /** As the list writes it. */
  readonly provider: string;
  readonly eventId: number;
  readonly at: number | undefined;
  /** Insertion strings or message, as one bounded line. */
  readonly text: string;
  readonly connector?: string | undefined;
};

/** Errors of one pair for one reason within a minute; without a reason they are events 2002. Times in ms UTC. */
export type RecentError = {
  readonly server: string;
  readonly connector: string;
  readonly destination: string;
  readonly reason?: Reason | undefined;
  /** Time of the first and of the last of them. */
  readonly at: number;
  readonly until: number;
  readonly count: number;
};

/** Whatever the ledger counts. */
export type Evidence = ConnectionError | ConnectionAttempt | ConnectionFailure | RelatedEvent;

/** Every record read ends in exactly one of these. */
export const recordOutcomes = ['counted', 'related', 'ignored', 'duplicate', 'unreadable'] as const;
export type RecordOutcome = (typeof recordOutcomes)[number];

/** Why a record could not be read. */
export const unreadableReasons = [
  'not_json',
  'not_xml',
  'wrong_shape',
  'too_large',
  'damaged',
  'decoder_failed',
] as const;
export type UnreadableReason = (typeof unreadableReasons)[number];

// -------------------------------------------------------------------------------------------------- sessions

/** What is still said in a connection that has not come to its first mail. */
export type Talk = {
  readonly destination: string;
  /** What we did last: connect, EHLO or HELO, STARTTLS, AUTH or X-EXPS, XPROXYTO and its like, or another command. */
  readonly step: (typeof talkSteps)[number];
  /** What is a failure unless we go on all the same. */
  readonly suspect?: Reason | undefined;
  /** The destination behind a front end that the suspicion is about; else it is about the one connected to. */
  readonly about?: string | undefined;
  /** What a front end was asked to connect to. */
  readonly proxied?: string | undefined;
};
export const talkSteps = ['connect', 'ehlo', 'starttls', 'auth', 'proxy', 'setup', 'other'] as const;

/** An attempt or failure of the connectivity log whose connector or port is not known yet. */
export type WaitingFact = {
  /** End point, or an address without a port, or a domain. */
  readonly destination: string;
  readonly portKnown: boolean;
  readonly attempt: boolean;
  readonly reason?: Reason | undefined;
  readonly host?: string | undefined;
  readonly at?: number | undefined;
  readonly history?: boolean | undefined;
};

/** What is known of a session that is not over, or that the other transport log has not told of yet. Saved. */
export type OpenSession = {
  readonly server: string;
  readonly session: string;
  /** When a row of it was last read, milliseconds since 1970 UTC. */
  readonly touchedAt: number;
  /** The log that tells of its attempts and failed connects: one of them alone, so that nothing counts twice. */
  readonly teller?: 'send' | 'connectivity' | undefined;
  /** From the Send log: name of the connector, and the end points it connected to. */
  readonly connector?: string | undefined;
  readonly remotes?: readonly string[] | undefined;
  readonly talk?: Talk | undefined;
  /** From the connectivity log: GUID of the connector, or the kind of delivery where there is none. */
  readonly delivery?: string | undefined;
  /** On a front end: the session of another server whose mail it passes on, as `server session`. */
  readonly proxyFor?: string | undefined;
  readonly nextHop?: string | undefined;
  /** Names and addresses that the next hop was resolved to, as written. */
  readonly resolved?: string | undefined;
  readonly waiting?: readonly WaitingFact[] | undefined;
  readonly waitingSince?: number | undefined;
};

/** What is known of the transport logs of a server. Saved. */
export type ServerLogs = {
  readonly server: string;
  /** Times of the first and latest row of its connectivity log; undefined while there is none. */
  readonly from?: number | undefined;
  readonly until?: number | undefined;
  /** Connectors by GUID (or kind of delivery), as learned from sessions that both logs tell of. */
  readonly connectors: readonly KnownConnector[];
};

export type KnownConnector = {
  readonly delivery: string;
  readonly name?: string | undefined;
  readonly port?: number | undefined;
  /** True when we have waited for its name and port in vain. */
  readonly unnamed?: boolean | undefined;
};

/** A session or server as saved; undefined as JSON when it is over. */
export type SessionChange = { readonly key: string; readonly json: string | undefined };

// --------------------------------------------------------------------------------------------------- reading

/** A place in a file between two records. */
export type Position = {
  /** Bytes from the beginning of the file as it is on disk. */
  readonly offset: number;
  /** True while a record over the size limit is being stepped over. */
  readonly skipping?: boolean;
  /** What a format must remember between passes (plain JSON, bounded). */
  readonly memory?: unknown;
};

/** Where reading has got to. */
export type Checkpoint = FileCheckpoint | LogCheckpoint;

/** Where reading of one file has got to, and which file that is. */
export type FileCheckpoint = Position & {
  /** Label of the source that found the file. */
  readonly source: string;
  /** Where the file was last seen. */
  readonly path: string;
  /**
   * Device and inode (volume and file index on Windows), as decimal text with a colon between. Empty when the file has
   * been written anew since: a copy of what was read goes on where that ended.
   */
  readonly inode: string;
  /** Hash of the first bytes: which file this is, whatever it is called today. */
  readonly head: Fingerprint;
  /** Hash of the bytes right before `offset`: proof that this file really has been read up to there. */
  readonly tail: Fingerprint;
  /** True until the end was reached once, for a file that was there before its source was first read. */
  readonly history: boolean;
  /** When the file had last been written, at the last look at it. Milliseconds since 1970 UTC with their fraction. */
  readonly modifiedMs?: number | undefined;
  /** Its size when it was read to its end; absent while it was not. */
  readonly sizeRead?: number | undefined;
};

/** Where reading of a live Windows log has got to. */
export type LogCheckpoint = {
  /** Label of the source. */
  readonly source: string;
  /** The channel that is read. */
  readonly channel: string;
  /** Windows' own bookmark of the last record read, as XML. */
  readonly bookmark: string;
  /** That record: a cleared log may number another one the same, so its time belongs to it. */
  readonly recordId: number;
  readonly time: number | undefined;
};

/** A hash over `length` bytes; length 0 says nothing. */
export type Fingerprint = { readonly length: number; readonly hash: string };

/** What one pass over one file gave: whole records only, and the place after the last of them. */
export type Batch = {
  /** Label of the source. */
  readonly source: string;
  readonly evidence: readonly Evidence[];
  /** Records read that are not evidence. */
  readonly ignored: number;
  /** Records read that tell of attempts or failures; events are counted one by one. */
  readonly counted?: number;
  readonly unreadable: Readonly<Partial<Record<UnreadableReason, number>>>;
  /**
   * Checkpoint of the file or log read, after this batch. Undefined when none was read: sessions whose time has come.
   */
  readonly checkpoint: Checkpoint | undefined;
  /** What had been read of the file before it was written anew; its inode is empty. */
  readonly former?: FileCheckpoint | undefined;
  /** Open sessions that this batch has changed: entered and saved together with the checkpoint. */
  readonly sessions?: readonly SessionChange[];
  /** True when the batch was read as history: old events in it are not news. */
  readonly history: boolean;
  /** Record IDs of all records read, dropped ones too; absent when they cannot be told or hardly follow one another. */
  readonly runs?: readonly RecordRun[] | undefined;
  /** Setting of the source: it brings every record of its logs, or only some; absent: the record IDs tell. */
  readonly unfiltered?: boolean | undefined;
  /** True while the source has more to read. */
  readonly behind?: boolean;
  /** Records that the source itself knows to be lost: overwritten before they were read. */
  readonly missed?: number;
};

// --------------------------------------------------------------------------------------------------- ledger

/** One Send connector and destination as published: never more than what is safely on disk. */
export type LedgerRow = {
  readonly server: string;
  readonly connector: string;
  readonly destination: string;
  /** Events 2002 counted. */
  readonly errors: number;
  /** Attempts to connect counted; the transport logs tell of them. */
  readonly attempts: number;
  /** Failures counted, by reason. */
  readonly failures: Readonly<Partial<Record<Reason, number>>>;
  /** Time of the latest error or failure, milliseconds since 1970 UTC; undefined before the first. */
  readonly lastErrorAt: number | undefined;
  /** When the latest error or failure was read, milliseconds since 1970 UTC; undefined before the first. */
  readonly lastObservedAt: number | undefined;
  /** When the latest attempt was read, milliseconds since 1970 UTC; undefined before the first. */
  readonly lastAttemptAt: number | undefined;
  /** Host name of the destination, where a transport log has told it. */
  readonly host?: string | undefined;
};

// --------------------------------------------------------------------------------------------------- probing

/** Why something failed; probes and transport logs share the list. */
export const reasons = [
  'refused',
  'timeout',
  'reset',
  'host_unreachable',
  'network_unreachable',
  'address_not_available',
  'access_denied',
  'no_buffers',
  'name_not_found',
  'name_no_address',
  'name_server_failure',
  'name_timeout',
  'null_mx',
  'banner_timeout',
  'banner_4xx',
  'banner_5xx',
  'not_smtp',
  'ehlo_rejected',
  'starttls_not_offered',
  'starttls_rejected',
  'tls_handshake',
  'certificate_expired',
  'certificate_not_yet_valid',
  'certificate_name_mismatch',
  'certificate_untrusted',
  'client_certificate_required',
  'auth_rejected',
  'proxy_failed',
  'closed_by_remote',
  'blocked_by_policy',
  'other',
] as const;
export type Reason = (typeof reasons)[number];

/** The questions of one visit, in the order in which they are asked. */
export const stepNames = ['dns', 'tcp', 'banner', 'ehlo', 'starttls', 'tls', 'ehlo_tls', 'quit'] as const;
export type StepName = (typeof stepNames)[number];

/** Steps after which a visit can be ended early with good manners; after STARTTLS a server expects nothing but TLS. */
export const quitAfterSteps = ['tcp', 'banner', 'ehlo'] as const satisfies readonly StepName[];
export type QuitAfter = (typeof quitAfterSteps)[number];

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

/** What came of one step. A step that did not run is not in the list of a visit. */
export type StepResult = {
  readonly step: StepName;
  readonly seconds: number;
  readonly outcome: 'passed' | 'failed';
  /** Present exactly when the step failed. */
  readonly reason?: Reason;
  /** One line for a person: the reply of the server or the words of the system. */
  readonly detail?: string;
};

/** Facts that a visit learned on its way. */
export type VisitFacts = {
  /** Address that was connected to. */
  readonly address?: string;
  /** Addresses that the name resolved to. */
  readonly addresses?: readonly string[];
  readonly tlsVersion?: string;
  readonly tlsCipher?: string;
  /**
   * Earliest end of validity in the chain that was verified, milliseconds since 1970 UTC; where none could be verified, in
   * what there is of it. What else the server sent does not count.
   */
  readonly certificateExpiresAt?: number;
  /** End of validity of the server's own certificate, milliseconds since 1970 UTC. */
  readonly leafExpiresAt?: number;
  readonly certificate?: CertificateFacts;
};

/** The certificate that a server showed. */
export type CertificateFacts = {
  /** True when its chain ends at an authority that this host trusts. */
  readonly verified: boolean;
  /** Earliest end of validity of all certificates that the server sent, milliseconds since 1970 UTC. */
  readonly earliestSentEndsAt: number;
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string;
  /** Hexadecimal. */
  readonly serialNumber: string;
  readonly subject: string;
  readonly issuer: string;
  /** DNS names under subjectAltName. */
  readonly names: readonly string[];
};

/** One line of the conversation of a visit; bounded, without secrets. */
export type TranscriptLine = {
  /** Milliseconds since the start of the visit. */
  readonly ms: number;
  /** `>` sent, `<` received, `*` information. */
  readonly direction: '>' | '<' | '*';
  readonly text: string;
};

/** One round of questions to one destination. */
export type ProbeResult = {
  /** Stable id of this visit: the destination and its start in milliseconds. */
  readonly id: string;
  readonly destination: string;
  readonly host: string;
  readonly origin: Origin;
  /** Start, milliseconds since 1970 UTC. */
  readonly at: number;
  readonly seconds: number;
  readonly success: boolean;
  /** The step that decided failure, with its reason; undefined when the visit succeeded. */
  readonly failedStep: StepName | undefined;
  readonly reason: Reason | undefined;
  /** The first step that failed without deciding the visit, for instance STARTTLS where TLS is not required. */
  readonly warning?: { readonly step: StepName; readonly reason: Reason };
  readonly steps: readonly StepResult[];
  readonly facts: VisitFacts;
  readonly transcript: readonly TranscriptLine[];
};

/** How a run of a diagnostic program ended. `no_program`: none is installed, which is a state and not an error. */
export const reportStates = ['done', 'no_program', 'not_permitted', 'failed'] as const;
export type ReportState = (typeof reportStates)[number];

/** What several echoes to the address of a destination gave; never decides whether a probe is good. */
export type PingReport = {
  /** When it began, milliseconds since 1970 UTC. */
  readonly at: number;
  /** Program that was run, for instance `ping`; empty when there is none. */
  readonly program: string;
  readonly state: ReportState;
  readonly sent: number;
  readonly received: number;
  /** Absent when no echo came back. */
  readonly rttSeconds?: { readonly min: number; readonly average: number; readonly max: number };
  /** One line for a person: why there is no measurement. */
  readonly detail?: string;
};

/** The way to the address of a destination, as far as it could be seen. */
export type PathReport = {
  readonly at: number;
  /** `mtr`, `tracepath`, `traceroute`, `pathping` or `tracert`; empty when there is none. */
  readonly program: string;
  readonly state: ReportState;
  /** True when the destination itself answered. */
  readonly reached: boolean;
  readonly hops: readonly PathHop[];
  readonly detail?: string;
};

export type PathHop = {
  /** 1 for the first router. */
  readonly hop: number;
  /** Absent for a hop that never answered. */
  readonly address?: string;
  /** 0 to 1. */
  readonly lossRatio?: number;
  readonly rttSeconds?: number;
};

// -------------------------------------------------------------------------------------------------- diagnosis

/** What both books say together about one connector and destination. */
export const diagnoses = [
  'destination_down',
  'network_path',
  'name_resolution',
  'smtp_refuses',
  'tls',
  'connector_wide',
  'server_egress',
  'intermittent',
  'recovered',
  'not_probed',
] as const;
export type Diagnosis = (typeof diagnoses)[number];

// ---------------------------------------------------------------------------------------- state of the sources

/** What a source says of itself. */
export type SourceStatus = {
  /** Label: the path, glob or channel as it was given. */
  readonly source: string;
  /** False when the source cannot be read at present. */
  readonly up: boolean;
  /** Sentence for a person: why it is down, or what it reads. */
  readonly detail: string;
  /** Time of the newest record read, milliseconds since 1970 UTC. */
  readonly lastRecordAt: number | undefined;
  readonly lagBytes: number;
  /** Seconds since unread bytes were first seen; 0 when all is read. */
  readonly lagSeconds: number;
  /** Seconds that reading has stood still at one place: it fails there, or does not end; 0 while it moves on. */
  readonly stalledSeconds: number;
  readonly bytesRead: number;
  /** Of a live log, since the start. */
  readonly subscription?: {
    /** Times that its reader ended by itself and was started again. */
    readonly restarts: number;
    /** Times that it was subscribed to anew, and for which of them the bookmark was of no use. */
    readonly reopened: number;
    readonly bookmarksLost: number;
  };
};

/** What can be typed on the host of this exporter. */
export type OwnHost = {
  readonly windows: boolean;
  /** The words that start this exporter there; a command follows. */
  readonly self: readonly string[];
  /** Options that a command needs to do as this exporter does. */
  readonly configured: readonly string[];
  /** Those of `swaks` and `openssl` that are installed. */
  readonly programs: readonly string[];
};
