/** Events written by NXLog's im_msvistalog with to_json(), plain or behind a syslog header, and OpenWEC's like of it. */
import { insertionStringsOf } from '../decode/event-fields.js';
import { jsonFormats } from '../decode/json-events.js';

export const [nxlog, nxlogDocument] = jsonFormats({
  name: 'nxlog',
  shape: [/"SourceName"\s*:/, /"EventTime"\s*:/, /"EventID"\s*:/],
  idKey: 'EventID',
  places: {
    id: ['EventID'],
    provider: ['SourceName'],
    channel: ['Channel'],
    computer: ['Hostname'],
    recordId: ['RecordNumber'],
    // The Community Edition writes local time without a zone, which is no time.
    time: ['EventTime'],
    message: ['Message'],
    values: ['Data'],
  },
  // Only OpenWEC writes the unnamed strings; in NXLog a `Data` would be text of another kind.
  valuesOf: insertionStringsOf,
});
