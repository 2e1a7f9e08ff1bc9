/** What is read: records of a carrier, rows of a transport log, and how each record is told from all others. */

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
  /**
   * What the clock of the computer showed, as if its zone were UTC, where the carrier wrote no zone: no time to anybody,
   * but it tells two records apart. Absent when there is a time.
   */
  readonly clockTime?: number | undefined;
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

/** A line of a log file as a shipper sends it, with its place: what the line is, the header of its file says. */
export type ShippedLine = {
  readonly kind: 'shipped_line';
  /** The server that the shipper runs on; empty when it does not say. */
  readonly server: string;
  readonly path: string;
  /** What tells the file from others of the same path; empty when the shipper does not say. */
  readonly file: string;
  /** Where the line begins, in bytes. */
  readonly offset: number;
  readonly text: string;
};

/** What a format makes of one record. */
export type Decoded = WindowsEvent | TransportRow | ShippedLine;

/** Windows' identity of one event; with a record ID it tells a second delivery from a second event. */
export type RecordKey = {
  readonly server: string;
  readonly channel: string;
  readonly recordId: number | undefined;
  readonly time: number | undefined;
  readonly clockTime?: number | undefined;
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

/** Record IDs read from the partitions of a topic, which hand on the records of one log out of their order. */
export type SpreadIds = {
  /** When they were read, by a clock that only goes forward. Milliseconds. */
  readonly at: number;
  /** What is missing among the IDs that were read until then was in no partition; undefined: nothing is known yet. */
  readonly settledAt: number | undefined;
  /** Records were lost on the way, or their IDs cannot be told: nothing that is missing means anything for a while. */
  readonly broken: boolean;
  readonly logs: readonly SpreadLog[];
};

/** Record IDs of one log of one server. */
export type SpreadLog = {
  readonly server: string;
  readonly channel: string;
  /** First and last of each run in turn, in the order in which they were read. */
  readonly ids: readonly number[];
  /** None was logged after this, as Kafka dates them. Milliseconds since 1970 UTC. */
  readonly until: number | undefined;
  /** One with so low an ID that the log may have been cleared, and when it was logged. */
  readonly low: { readonly id: number; readonly at: number } | undefined;
};

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
