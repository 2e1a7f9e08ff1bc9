/** The formats, in the order in which they are tried. */
import { alloy, alloyDocument } from './alloy.js';
import { connectivityLog } from './connectivity-log.js';
import { evtx } from './evtx/evtx.js';
import { eventXml } from './event-xml.js';
import { filebeat, filebeatDocument } from './filebeat.js';
import {
  winevtlog,
  winevtlogDocument,
  winevtlogText,
  winevtlogTextDocument,
  winevtlogXml,
  winevtlogXmlDocument,
  winlog,
  winlogDocument,
} from './fluent-bit.js';
import { fluentd, fluentdDocument } from './fluentd.js';
import { getWinEvent, getWinEventDocument } from './get-winevent.js';
import { nxlog, nxlogDocument } from './nxlog.js';
import { otel, otelDocument } from './otel.js';
import { sendLog } from './send-log.js';
import { snare } from './snare.js';
import { vector, vectorDocument } from './vector.js';
import { wazuh, wazuhDocument } from './wazuh.js';
import { winlogbeat, winlogbeatDocument } from './winlogbeat.js';
import { xmlAsJson, xmlAsJsonDocument } from './xml-as-json.js';
import type { Format } from './format.js';

/**
 * Tried in this order on the head of a file: the first that recognises it reads it.
 * To add a format: its import above and its name here.
 */
export const formats: readonly Format[] = [
  evtx,
  sendLog,
  connectivityLog,
  winlogbeat,
  winlogbeatDocument,
  filebeat,
  filebeatDocument,
  otel,
  otelDocument,
  winevtlogXml,
  winevtlogXmlDocument,
  winevtlogText,
  winevtlogTextDocument,
  fluentd,
  fluentdDocument,
  winevtlog,
  winevtlogDocument,
  winlog,
  winlogDocument,
  nxlog,
  nxlogDocument,
  vector,
  vectorDocument,
  alloy,
  alloyDocument,
  wazuh,
  wazuhDocument,
  getWinEvent,
  getWinEventDocument,
  xmlAsJson,
  xmlAsJsonDocument,
  snare,
  eventXml,
];
