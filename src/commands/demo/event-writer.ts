/** Writes events 2002 as Winlogbeat 8 does, at the pace of Exchange servers that retry. */
import { createHash } from 'node:crypto';
import type { Outage } from './outage.js';

/** Servers log for years: their records do not begin at 1. */
const recordsBefore = 184_466;

/**
 * Writes the events of all outages, each at its time, until the function returned is called.
 * @param deliver gets a line
 * @param also told of each error as well
 */
export function keepWriting(
  deliver: (line: string) => void,
  outages: readonly Outage[],
  also: (outage: Outage, at: Date) => void = () => undefined,
): () => void {
  const timers = new Set<NodeJS.Timeout>();
  const lastRecordIds = new Map<string, number>();
  const write = (outage: Outage): void => {
    const recordId = (lastRecordIds.get(outage.computer) ?? recordsBefore) + 1;
    lastRecordIds.set(outage.computer, recordId);
    const at = new Date();
    deliver(winlogbeatLine(outage, recordId, at));
    also(outage, at);
    after(outage.every, outage);
  };
  const after = (seconds: number, outage: Outage): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      write(outage);
    }, seconds * 1000);
    timers.add(timer);
  };
  for (const outage of outages) after(outage.firstAfter, outage);
  return () => {
    for (const timer of timers) clearTimeout(timer);
  };
}

/** One line with the fields that Winlogbeat 8 writes for a classic event of the Application log. */
export function winlogbeatLine(outage: Outage, recordId: number, at: Date): string {
  const { computer, connector, destination } = outage;
  const message = `Send connector ${connector}: an error occurred while connecting to ${destination}.`;
  const created = new Date(at.getTime() + 400).toISOString();
  const host = computer.split('.')[0];
  return `${JSON.stringify({
    '@timestamp': at.toISOString(),
    '@metadata': { beat: 'winlogbeat', type: '_doc', version: '8.2.2' },
    event: { action: 'SmtpSend', code: '2002', created, kind: 'event', provider: 'MSExchangeTransport' },
    ecs: { version: '8.0.0' },
    host: { name: computer },
    agent: {
      id: uuidOf(computer),
      version: '8.2.2',
      type: 'winlogbeat',
      ephemeral_id: uuidOf(`${computer}, this run`),
      name: host,
    },
    log: { level: 'warning' },
    message,
    winlog: {
      provider_name: 'MSExchangeTransport',
      task: 'SmtpSend',
      channel: 'Application',
      event_data: { param1: connector, param2: destination },
      event_id: '2002',
      computer_name: computer,
      keywords: ['Classic'],
      record_id: recordId,
      api: 'wineventlog',
    },
  })}\n`;
}

/** The same UUID for the same text. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
