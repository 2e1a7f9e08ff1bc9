/** Send connectors that Exchange creates itself: they appear in logs and events, but never in Get-SendConnector. */

export const intraOrganization = 'Intra-Organization SMTP Send Connector';
export const shadowRedundancy = 'Shadow Redundancy Send Connector';

/** Their names in English. Source: decompiled Exchange 2013, names of the implicit connectors. */
export const implicitConnectors: ReadonlySet<string> = new Set([
  intraOrganization,
  'Inbound Proxy Internal Send Connector',
  'Inbound Proxy External Send Connector',
  'Outbound Proxy Internal Send Connector',
  'Outbound Proxy External Send Connector',
  'Client Proxy Send Connector',
  'Mailbox Proxy Send Connector',
  shadowRedundancy,
]);

/**
 * Exchange names them in the language of its server. Only names that were seen in a real log stand here; of other
 * languages the name of the connector within the organisation is learned from a session that both transport logs tell.
 */
const localised: ReadonlyMap<string, string> = new Map([
  // Send protocol log and event 2017 of an Exchange 2013 server in Chinese, in a public write-up of a broken AD trust.
  ['组织内 SMTP 发送连接器', intraOrganization],
]);

/** All names known of them, in any language: a message may hold one. */
export const implicitNames: readonly string[] = [...implicitConnectors, ...localised.keys()];

/** One connector has one name: the English one for a name of another language that is known; any other as it is. */
export function implicitNameOf(name: string): string {
  return localised.get(name) ?? name;
}
