/** One event as Winlogbeat 8 writes it. */

export type WinlogbeatLineOptions = {
  readonly recordId?: number;
  readonly connector?: string;
  readonly destination?: string;
  readonly server?: string;
  readonly eventId?: number;
  readonly provider?: string;
  readonly at?: Date;
};

/** @returns one line of NDJSON with its line end */
export function winlogbeatLine(options: WinlogbeatLineOptions = {}): string {
  const {
    connector = 'Outbound to Internet',
    destination = '203.0.113.25:25',
    server = 'EXCH01.contoso.local',
  } = options;
  const { recordId = 1, eventId = 2002, provider = 'MSExchangeTransport', at = new Date() } = options;
  const event = {
    '@timestamp': at.toISOString(),
    event: { code: String(eventId), kind: 'event', provider },
    host: { name: server },
    log: { level: 'warning' },
    message: `Send connector ${connector}: an error occurred while connecting to ${destination}.`,
    winlog: {
      provider_name: provider,
      channel: 'Application',
      event_data: { param1: connector, param2: destination },
      event_id: String(eventId),
      computer_name: server,
      record_id: recordId,
      api: 'wineventlog',
    },
  };
  return `${JSON.stringify(event)}\n`;
}
