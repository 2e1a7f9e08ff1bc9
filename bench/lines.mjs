/** One event as its carriers write it; the n-th is always the same. */

/** So that a million events, 997 ms apart, are neither too old to be shown nor in the future. */
const first = Date.now() - 12 * 86_400_000;

function placeOf(n) {
  return {
    server: `EXCH0${n % 4}.contoso.local`,
    connector: `Outbound to Internet ${n % 20}`,
    destination: `203.0.113.${n % 250}:25`,
  };
}

/** About 1,136 bytes; the keys come in another order in every record, as Beats write them. */
export function winlogbeatLine(n, id, place = placeOf(n)) {
  const { connector, destination: endpoint, server } = place;
  const data = { param1: connector, param2: endpoint };
  const winlog = turned(n, {
    provider_name: 'MSExchangeTransport',
    task: 'SmtpSend',
    channel: 'Application',
    event_data: data,
    event_id: String(id),
    computer_name: server,
    keywords: ['Classic'],
    record_id: 184467 + n,
    api: 'wineventlog',
    opcode: 'Info',
    process: { pid: 9324, thread: { id: 17732 } },
  });
  return `${JSON.stringify(
    turned(n, {
      '@timestamp': new Date(place.at ?? first + n * 997).toISOString(),
      '@metadata': { beat: 'winlogbeat', type: '_doc', version: '8.17.1' },
      event: {
        action: 'SmtpSend',
        code: String(id),
        created: '2026-01-15T08:14:02.996Z',
        kind: 'event',
        provider: 'MSExchangeTransport',
      },
      ecs: { version: '8.0.0' },
      host: {
        name: server.toLowerCase(),
        hostname: server,
        architecture: 'x86_64',
        os: {
          build: '20348.2966',
          family: 'windows',
          kernel: '10.0.20348.2966',
          name: 'Windows Server 2022 Standard',
          platform: 'windows',
          type: 'windows',
          version: '10.0',
        },
      },
      agent: {
        id: 'b5a1a1b6-7a4c-4c36-9c57-7a0b2b9a8d10',
        version: '8.17.1',
        type: 'winlogbeat',
        ephemeral_id: '7d2ed0aa-4d6a-49a1-8a77-3a6a54d14f44',
        name: 'EXCH01',
      },
      log: { level: 'warning' },
      message: `Send connector ${connector}: an error occurred while connecting to ${endpoint}.`,
      winlog,
    }),
  )}\n`;
}

function turned(n, object) {
  const entries = Object.entries(object);
  const by = n % entries.length;
  return Object.fromEntries([...entries.slice(by), ...entries.slice(0, by)]);
}

/** About 600 bytes, as wevtutil writes it. */
export function xmlLine(n, id) {
  const time = new Date(first + n * 997).toISOString().replace('Z', '1150Z');
  return `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='MSExchangeTransport'/><EventID Qualifiers='32772'>${id}</EventID><Version>0</Version><Level>3</Level><Task>2</Task><Opcode>0</Opcode><Keywords>0x80000000000000</Keywords><TimeCreated SystemTime='${time}'/><EventRecordID>${184467 + n}</EventRecordID><Correlation/><Execution ProcessID='9324' ThreadID='0'/><Channel>Application</Channel><Computer>EXCH0${n % 4}.contoso.local</Computer><Security/></System><EventData><Data>Outbound to Internet ${n % 20}</Data><Data>203.0.113.${n % 250}:25</Data></EventData></Event>\r\n`;
}
