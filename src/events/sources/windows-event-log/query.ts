/** Which records of a channel are queried. */

/** Every source that a transport service of Exchange writes under; and the neighbours that explain its errors. */
export const providers = [
  'MSExchangeTransport',
  'MSExchangeFrontEndTransport',
  'MSExchangeTransportDelivery',
  'MSExchangeTransportSubmission',
  'MSExchangeTransportMailSubmission',
  'MSExchangeTransportMailboxAssistants',
  'MSExchangeTransportSearch',
  'Tcpip',
  'Microsoft-Windows-DNS-Client',
  'Schannel',
  'NETLOGON',
] as const;

/**
 * By provider alone: Windows allows few expressions in a query, and the transport services write little.
 * ForwardedEvents is read whole: on Windows Server 2025 a filter on forwarded events can crash the Event Log service
 * (reported for Winlogbeat); what we do not want is dropped on this side.
 */
export function queryFor(channel: string): string {
  if (channel.toLowerCase() === 'forwardedevents') return '*';
  return `*[System[Provider[${providers.map((name) => `@Name='${name}'`).join(' or ')}]]]`;
}

const wanted = new RegExp(`<Provider [^<>]*Name=['"](?:${providers.join('|')})['"]`, 'i');

/** Whether one of the providers wrote the record. */
export function isOfProvider(xml: string): boolean {
  return wanted.test(xml);
}
