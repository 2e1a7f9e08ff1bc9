/** Sorts the records of a read into what is decoded, ignored and unreadable. */
import os from 'node:os';
import type { Evidence } from '../../../model/evidence.js';
import type { UnreadableReason } from '../../../model/records.js';
import { classify } from '../../classify.js';
import { unreadableOf } from '../../decode/unreadable.js';
import { eventXml } from '../../formats/event-xml.js';
import type { Channel } from './channel.js';

type Sorted = {
  readonly evidence: Evidence[];
  ignored: number;
  readonly unreadable: Partial<Record<UnreadableReason, number>>;
};

export function sortOut(state: Channel, events: readonly string[]): Sorted {
  const sorted: Sorted = { evidence: [], ignored: 0, unreadable: {} };
  const options = { server: os.hostname(), knownConnectors: state.knownConnectors, nameOf: state.nameOf };
  for (const xml of events) {
    try {
      for (const record of eventXml.decode(xml)) {
        const found = record.kind === 'event' ? classify(record, options) : undefined;
        if (found) sorted.evidence.push(found);
        else sorted.ignored++;
      }
    } catch (error) {
      const { reason } = unreadableOf(error);
      sorted.unreadable[reason] = (sorted.unreadable[reason] ?? 0) + 1;
    }
  }
  return sorted;
}
