/** Events as Wazuh keeps them (`win.system`, `win.eventdata`), also inside its alerts and archives. */
import { endpointOf } from '../../model/endpoint.js';
import { jsonFormats } from '../decode/json-events.js';
import type { Strings } from '../decode/event-fields.js';

export const [wazuh, wazuhDocument] = jsonFormats({
  name: 'wazuh',
  shape: [/"win"\s*:\s*\{/, /"eventID"\s*:/, /"providerName"\s*:/],
  idKey: 'eventID',
  places: {
    id: both('system/eventID'),
    provider: both('system/providerName'),
    channel: both('system/channel'),
    computer: both('system/computer'),
    recordId: both('system/eventRecordID'),
    time: both('system/systemTime'),
    message: both('system/message'),
    values: both('eventdata/data'),
  },
  valuesOf: stringsOfJoined,
  cleanMessage: (message) => message.replace(/^"([^]*)"$/, '$1'),
});

function both(path: string): string[] {
  return [`win/${path}`, `data/win/${path}`];
}

/**
 * Wazuh joins the strings with `, `, which may also stand in a name. Two strings of which the second is an end point
 * can still be told apart, from the end; anything else cannot, and is left to the message.
 */
function stringsOfJoined(joined: unknown): Strings | undefined {
  if (typeof joined !== 'string') return undefined;
  const cut = joined.lastIndexOf(', ');
  if (cut < 0 || endpointOf(joined.slice(cut + 2)) === undefined) return undefined;
  return [joined.slice(0, cut), joined.slice(cut + 2)];
}
