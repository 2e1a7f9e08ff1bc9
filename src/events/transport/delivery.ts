/** Reads how a session of the connectivity log begins: whose mail is delivered, and through which Send connector. */
import { intraOrganization, shadowRedundancy } from '../../model/implicit-connectors.js';

export type Delivery = {
  /** `DnsConnectorDelivery:<guid>` of a Send connector; else the kind of delivery alone. */
  readonly delivery: string;
  /** On a front end: server and session whose mail it passes on, with a blank between. */
  readonly proxyFor?: string;
};

const [outboundProxy, clientProxy, other] = ['outbound-proxy', 'client-proxy', 'other'];

/**
 * `DnsConnectorDelivery 2f6f0e8e-...;QueueLength=...`: only this kind and the next name a Send connector by its GUID.
 * A front end writes sentences instead, and a cached session the ID that it replaces.
 * Source: decompiled Exchange 2013, ConnectionLog and ProxySessionSetupHandler.
 */
export function deliveryOf(text: string): Delivery {
  const head = text.slice(0, 512);
  const proxy = /^Outbound proxy from (\S{1,255}) with session id ([0-9A-F]{14,16})\b/i.exec(head);
  if (proxy) return { delivery: outboundProxy, proxyFor: `${proxy[1]?.toLowerCase()} ${proxy[2]?.toUpperCase()}` };
  if (/^Outbound proxy\b/i.test(head)) return { delivery: outboundProxy };
  if (/^Client proxy\b/i.test(head)) return { delivery: clientProxy };
  const [, kind = '', id = ''] = /^([A-Za-z]{1,64})(?:[ ;]+([\w-]{1,64}))?/.exec(head) ?? [];
  if (isSendConnector(kind) && id !== '') return { delivery: `${kind}:${id.toLowerCase()}` };
  return { delivery: kind === '' ? other : kind };
}

function isSendConnector(kind: string): boolean {
  return kind === 'DnsConnectorDelivery' || kind === 'SmartHostConnectorDelivery';
}

/** GUID of the Send connector. */
export function guidOf(delivery: string | undefined): string | undefined {
  return delivery?.split(':')[1];
}

/** The connector that Exchange makes itself for this kind of delivery; undefined where none can be told. */
export function implicitConnectorOf(delivery: string): string | undefined {
  if (/^ShadowRedundancy$/i.test(delivery)) return shadowRedundancy;
  return isRelay(delivery) || /^Heartbeat$/i.test(delivery) ? intraOrganization : undefined;
}

/** Mail within the organisation: all of it leaves through one connector. Heartbeats leave through others too. */
export function isRelay(delivery: string): boolean {
  return /^Smtp(?:Relay|Delivery)/i.test(delivery);
}

/** Whether all sessions of this delivery share a connector, so that the name learned from one is that of the next. */
export function sharesConnector(delivery: string): boolean {
  return delivery !== outboundProxy && delivery !== other;
}
