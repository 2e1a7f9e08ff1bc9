/** Events written by `Get-WinEvent | ConvertTo-Json`: an array, a single object, or one object a line (-Compress). */
import { insertionStringOf, type Strings } from '../decode/event-fields.js';
import { jsonFormats } from '../decode/json-events.js';
import { isObject } from '../decode/json-fields.js';

export const [getWinEvent, getWinEventDocument] = jsonFormats({
  name: 'get-winevent-json',
  shape: [/"Id"\s*:/, /"ProviderName"\s*:/, /"(?:MachineName|LogName|TimeCreated)"\s*:/],
  places: {
    id: ['Id'],
    provider: ['ProviderName'],
    channel: ['LogName'],
    computer: ['MachineName'],
    recordId: ['RecordId'],
    time: ['TimeCreated'],
    message: ['Message'],
    values: ['Properties'],
  },
  valuesOf: stringsOfProperties,
});

/** `[{ "Value": "..." }]`; cut to text (`System.Diagnostics...`) when the depth of ConvertTo-Json was too small. */
function stringsOfProperties(properties: unknown): Strings | undefined {
  if (!Array.isArray(properties) || properties.length === 0 || !properties.every(isObject)) return undefined;
  return properties.map((property) => insertionStringOf(property.Value));
}
