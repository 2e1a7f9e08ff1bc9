/** The XML of an event turned into JSON by a general converter: MaxPatrol's like, evtx_dump, xml2js and so on. */
import type { Decoded } from '../../model/records.js';
import { eventIdOf, insertionStringOf, recordIdOf, textOf, type Strings } from '../decode/event-fields.js';
import { timeOf } from '../decode/event-time.js';
import { layouts, wrongShape } from '../decode/json-events.js';
import { isObject, objectOf } from '../decode/json-fields.js';

export const [xmlAsJson, xmlAsJsonDocument] = layouts(
  'xml-as-json',
  (head) => /"Event"\s*:\s*\{/.test(head) && /"System"\s*:\s*(?:\[\s*)?\{/.test(head) && /"EventID"\s*:/.test(head),
  { decode },
);

function decode(record: string): readonly Decoded[] {
  const event = child(objectOf(record.slice(Math.max(0, record.indexOf('{')))), 'Event');
  const system = child(event, 'System');
  const id = child(system, 'EventID');
  if (id === undefined) return [];
  const eventId = eventIdOf(text(id));
  const provider = attribute(child(system, 'Provider'), 'Name');
  if (eventId === undefined || typeof provider !== 'string') throw wrongShape('xml-as-json', id, provider);
  return [
    {
      kind: 'event',
      provider,
      eventId,
      channel: textOf(text(child(system, 'Channel'))),
      computer: textOf(text(child(system, 'Computer'))),
      recordId: recordIdOf(text(child(system, 'EventRecordID'))),
      time: timeOf(attribute(child(system, 'TimeCreated'), 'SystemTime')),
      values: stringsOf(child(child(event, 'EventData'), 'Data')),
      message: insertionStringOf(text(child(child(event, 'RenderingInfo'), 'Message'))),
    },
  ];
}

/** A child element; xml2js puts each into an array of its own. */
function child(element: unknown, name: string): unknown {
  const inner = isObject(element) ? element[name] : undefined;
  return name !== 'Data' && Array.isArray(inner) && inner.length === 1 ? (inner[0] as unknown) : inner;
}

/** The text of an element: the value itself, or a member whose name the converters do not agree on. */
function text(element: unknown): unknown {
  if (!isObject(element)) return element;
  for (const key of ['text', '#text', '_text', '$t', '_', '__text', 'value']) if (key in element) return element[key];
  return undefined;
}

function attribute(element: unknown, name: string): unknown {
  if (!isObject(element)) return undefined;
  for (const key of [name, `@${name}`, `-${name}`, `_${name}`]) if (key in element) return element[key];
  for (const key of ['#attributes', '$', '_attributes', '@attributes']) {
    const group = element[key];
    if (isObject(group) && name in group) return group[name];
  }
  return undefined;
}

/** One string, several, or an element that holds several. */
function stringsOf(data: unknown): Strings {
  const inner = text(data);
  if (inner === undefined || inner === null) return [];
  return Array.isArray(inner) ? inner.map((item) => insertionStringOf(text(item))) : [insertionStringOf(inner)];
}
