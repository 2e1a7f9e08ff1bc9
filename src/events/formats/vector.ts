/** Events written by Vector's windows_event_log source. */
import { insertionStringsOf } from '../decode/event-fields.js';
import { jsonFormats } from '../decode/json-events.js';

export const [vector, vectorDocument] = jsonFormats({
  name: 'vector',
  shape: [/"provider_name"\s*:/, /"event_id"\s*:/, /"(?:string_inserts|keyword_names|source_type|level_value)"\s*:/],
  idKey: 'event_id',
  places: {
    id: ['event_id'],
    provider: ['provider_name'],
    channel: ['channel'],
    // `host` is the collector.
    computer: ['computer'],
    recordId: ['record_id'],
    time: ['timestamp'],
    message: ['message'],
    values: ['string_inserts'],
  },
  valuesOf: insertionStringsOf,
});
