/** Events written by Fluentd's windows_eventlog2 input: every field a string. */
import { insertionStringsOf } from '../decode/event-fields.js';
import { jsonFormats } from '../decode/json-events.js';

export const [fluentd, fluentdDocument] = jsonFormats({
  name: 'fluentd',
  shape: [/"ProviderName"\s*:/, /"EventID"\s*:\s*"/, /"EventRecordID"\s*:/],
  idKey: 'EventID',
  places: {
    id: ['EventID'],
    provider: ['ProviderName'],
    channel: ['Channel'],
    computer: ['Computer'],
    recordId: ['EventRecordID'],
    time: ['TimeCreated'],
    message: ['Description', 'Message'],
    values: ['EventData', 'StringInserts'],
  },
  valuesOf: insertionStringsOf,
});
