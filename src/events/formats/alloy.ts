/** The log line of Grafana Alloy's loki.source.windowsevent and of promtail. */
import { eventDataOf } from '../decode/event-xml.js';
import { jsonFormats } from '../decode/json-events.js';

export const [alloy, alloyDocument] = jsonFormats({
  name: 'alloy',
  shape: [/"source"\s*:/, /"event_id"\s*:/, /"eventRecordID"\s*:/],
  idKey: 'event_id',
  places: {
    id: ['event_id'],
    provider: ['source'],
    channel: ['channel'],
    computer: ['computer'],
    recordId: ['eventRecordID'],
    time: ['timeCreated'],
    message: ['message'],
    values: ['event_data'],
  },
  // The inside of the EventData element, still XML once the JSON is decoded.
  valuesOf: (inner) => {
    const values = typeof inner === 'string' ? eventDataOf(inner) : [];
    return values.length > 0 ? values : undefined;
  },
});
