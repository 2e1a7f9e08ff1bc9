/** Decides what a decoded record is: a connection error, a related event, or nothing to us. */
import { destinationOf, endpointOf } from '../model/endpoint.js';
import { implicitNameOf } from '../model/implicit-connectors.js';
import type { ConnectionError, Evidence, RelatedEvent } from '../model/evidence.js';
import type { RecordKey, WindowsEvent } from '../model/records.js';
import { labelOf, maxLabelLength, serverLabelOf, unknownLabel } from '../model/label.js';
import { relatedIds, relatedKindsOf } from '../model/related-events.js';
import type { RelatedKind } from '../model/related-providers.js';
import { namesFromMessage } from './message.js';
import { remembering } from '../runtime/memoize.js';

/** Event 2002, SmtpSendConnectionError. Source: Microsoft, "MSExchangeTransport 2002" (ff981647). */
const connectionErrorId = 2002;

/**
 * Every transport service writes the same event under a source name of its own; other providers (PerfProc, for one)
 * use the number 2002 too, so the provider decides. Lower case.
 */
export const transportProviders = new Set([
  'msexchangetransport',
  'msexchangefrontendtransport',
  'msexchangetransportdelivery',
  'msexchangetransportsubmission',
  'msexchangetransportmailsubmission',
  'msexchangetransportmailboxassistants',
  'msexchangetransportsearch',
]);

/** Carriers that leave the channel out are believed; forwarded events may carry the name of the collecting log. */
const channels = new Set(['', 'application', 'forwardedevents']);

export type ClassifyOptions = {
  /** Server for records that do not name their computer. */
  readonly server: string;
  /** Names of Send connectors known from the inventory, for messages in a language that we do not read. */
  readonly knownConnectors: () => readonly string[];
  /** The one name of a connector that a server may name in its own language. */
  readonly nameOf?: ((connector: string) => string) | undefined;
};

/** Event IDs worth decoding; everything else is dropped by its bytes. */
export function isWanted(eventId: number): boolean {
  return eventId === connectionErrorId || relatedIds.has(eventId);
}

/** @returns undefined for a record that is no evidence */
export function classify(record: WindowsEvent, options: ClassifyOptions): Evidence | undefined {
  if (record.eventId !== connectionErrorId) {
    const related = kindsOf(record.provider).get(record.eventId);
    return related && relatedEventOf(record, related, options);
  }
  if (!transportProviders.has(record.provider.toLowerCase())) return undefined;
  if (!channels.has(record.channel.toLowerCase())) return undefined;
  return connectionErrorOf(record, options);
}

/**
 * Insertion strings first: they do not depend on the language of a server. The finished message is the last resort.
 * An event that names nobody still counts: it is a failure all the same.
 */
function connectionErrorOf(event: WindowsEvent, options: ClassifyOptions): ConnectionError {
  const [connector, destination] = event.values;
  const named = destination
    ? { connector, destination }
    : namesFromMessage(event.message ?? '', options.knownConnectors());
  const key = recordKeyOf(event, options);
  return {
    kind: 'connection_error',
    key,
    server: key.server,
    connector: connectorOf(named?.connector, options),
    destination: destinationLabelOf(named?.destination),
    at: event.time,
  };
}

function relatedEventOf(
  event: WindowsEvent,
  { provider, connectorAt }: RelatedKind & { readonly provider: string },
  options: ClassifyOptions,
): RelatedEvent {
  const key = recordKeyOf(event, options);
  const name = connectorAt === undefined ? undefined : event.values[connectorAt - 1];
  return {
    kind: 'related_event',
    key,
    server: key.server,
    provider,
    eventId: event.eventId,
    at: event.time,
    text: lineOf(event.message ?? event.values.filter((value) => value !== undefined && value !== '').join(', ')),
    connector: name === undefined || isGuid(name) ? undefined : connectorOf(commonName(name), options),
  };
}

function connectorOf(name: string | undefined, { nameOf = implicitNameOf }: ClassifyOptions): string {
  return nameOf(labelOf(name));
}

/** Some events name their connector by its GUID only. */
function isGuid(text: string): boolean {
  return /^\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?$/i.test(text.trim());
}

/** Routing events write the distinguished name of the connector. */
function commonName(text: string): string {
  const name = /^CN=((?:\\.|[^,\\])+),/i.exec(text)?.[1];
  return name === undefined ? text : name.replace(/\\(.)/g, '$1');
}

/** A finished message is a paragraph: its first words say it. */
const maxTextLength = 300;

function lineOf(text: string): string {
  const start = text.slice(0, maxTextLength * 4);
  const line = notOneLine.test(start) ? start.replace(/[\p{Cc}\s]+/gu, ' ').trim() : start;
  return line.length > maxTextLength ? `${line.slice(0, maxTextLength - 1)}…` : line;
}

/** Nearly every text is one line already, and to look is much cheaper than to write it anew. */
const notOneLine = /^ | $| {2}|[^\S ]|\p{Cc}/u;

function recordKeyOf(event: WindowsEvent, options: ClassifyOptions): RecordKey {
  const { server, channel } = eventLogOf(event, options.server);
  return { server, channel, recordId: event.recordId, time: event.time, clockTime: event.clockTime };
}

/** The log of a record, with its names as they are compared. */
export function eventLogOf(
  { computer, channel }: Pick<WindowsEvent, 'computer' | 'channel'>,
  server: string,
): Pick<RecordKey, 'server' | 'channel'> {
  return { server: comparedServer(computer.trim() || server), channel: comparedChannel(channel) };
}

const kindsOf = remembering(relatedKindsOf);
const comparedServer = remembering(serverLabelOf);
const comparedChannel = remembering((name) => name.toLowerCase().slice(0, maxLabelLength));

const knownDestination = remembering((text) => {
  const endpoint = endpointOf(text);
  return endpoint ? destinationOf(endpoint) : labelOf(text);
});

export function destinationLabelOf(text: string | undefined): string {
  return text === undefined ? unknownLabel : knownDestination(text);
}
