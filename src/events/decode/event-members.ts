/** Names of the elements and attributes of a Windows event, as bytes. */
import { isNamed, type Tag } from './xml-tags.js';

export type Section = 'system' | 'data' | 'rendering' | 'other';

export const event = Buffer.from('Event');

const system = Buffer.from('System');

const eventData = Buffer.from('EventData');

const renderingInfo = Buffer.from('RenderingInfo');

export const data = Buffer.from('Data');

export const message = Buffer.from('Message');

export const provider = Buffer.from('Provider');

export const providerName = Buffer.from('Name');

export const eventSourceName = Buffer.from('EventSourceName');

export const timeCreated = Buffer.from('TimeCreated');

export const systemTime = Buffer.from('SystemTime');

export const eventIdName = Buffer.from('EventID');

export const eventRecordId = Buffer.from('EventRecordID');

export const channel = Buffer.from('Channel');

export const computer = Buffer.from('Computer');

export function sectionOf(bytes: Buffer, tag: Tag): Section {
  if (isNamed(bytes, tag, system)) return 'system';
  if (isNamed(bytes, tag, eventData)) return 'data';
  return isNamed(bytes, tag, renderingInfo) ? 'rendering' : 'other';
}
