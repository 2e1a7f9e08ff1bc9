/**
 * Writes both transport logs as Exchange does, and knows what really happened: sessions interleave, the logs are flushed
 * late and each at its own time, a flush may end in the middle of a row, files turn at a size and at midnight, and after a
 * restart of the service the day's file goes on without a header.
 */
import { appendFileSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

export type SimulatorOptions = {
  readonly folder: string;
  readonly seed: number;
  readonly sessions: number;
  /** Files turn at this many bytes. */
  readonly fileBytes?: number;
  /** Newer builds write the hour into the names. */
  readonly hourly?: boolean;
};

export type Simulator = {
  readonly sendFolder: string;
  readonly connectivityFolder: string;
  /** Goes on by about this many rows. @returns false when all has been written */
  readonly step: (rows: number) => boolean;
  /** The oldest files of each log, written to their end, but for the latest `kept`: the next to be deleted by age. */
  readonly oldest: (kept: number) => string[];
  /** What happened so far and is written: `connector | destination | attempts or reason`: how often. */
  readonly truth: () => Record<string, number>;
};

/** A generator of random numbers with a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

type Connector = {
  readonly name: string;
  readonly delivery: string;
  readonly port: number;
  /** False where ProtocolLoggingLevel is None: only the connectivity log knows of its sessions. */
  readonly logs: boolean;
  readonly hosts: readonly (readonly [host: string, address: string])[];
};

/** The one that has no protocol log; a test has to tell its name through the inventory. */
export const silentConnector = { name: 'Silent Partner', guid: '5d0c6a1e-0b7e-4f7c-9d53-0b1b7f0f5f99' };

const connectors: readonly Connector[] = [
  {
    name: 'Outbound to Internet',
    delivery: 'DnsConnectorDelivery 2f6f0e8e-6a5c-4f0e-9d53-0b1b7f0f5f10',
    port: 25,
    logs: true,
    hosts: Array.from({ length: 40 }, (_, n) => [`mx${n}.fabrikam.example`, `203.0.113.${n + 1}`] as const),
  },
  {
    name: 'Büro → Außen',
    delivery: 'SmartHostConnectorDelivery 7b0d2c55-9a53-4b7e-8b1f-5a8d2f6d1a02',
    port: 25,
    logs: true,
    hosts: [
      ['relay6.aussen.example', '2001:db8:25::1'],
      ['relay4.aussen.example', '198.51.100.4'],
    ],
  },
  {
    name: 'Relay, "Legacy" <DMZ> & Co',
    delivery: 'SmartHostConnectorDelivery c1c7a3f0-1d7e-4a0c-8f32-3f2f7f0a9e03',
    port: 587,
    logs: true,
    hosts: [
      ['10.20.30.40', '10.20.30.40'],
      ['relay2.contoso.example', '10.20.30.41'],
    ],
  },
  {
    name: silentConnector.name,
    delivery: `DnsConnectorDelivery ${silentConnector.guid}`,
    port: 25,
    logs: false,
    hosts: [['mx.silent.example', '192.0.2.9']],
  },
  {
    name: 'Intra-Organization SMTP Send Connector',
    delivery: 'SmtpRelayWithinAdSite 0b9f7f8c-1111-2222-3333-444455556666',
    port: 2525,
    logs: true,
    hosts: [['exch02.contoso.local', '10.0.0.2']],
  },
];

const failures = [
  [10060, '0000274C', 'TimedOut', 'timeout', 21_000],
  [10061, '0000274D', 'ConnectionRefused', 'refused', 1_000],
  [10051, '00002743', 'NetworkUnreachable', 'network_unreachable', 5],
  [10054, '00002746', 'ConnectionReset', 'reset', 50],
  [12345, '00003039', '12345', 'other', 50],
] as const;

type Log = 'send' | 'connectivity';
export type Row = { readonly at: number; readonly log: Log; readonly text: string; readonly facts: readonly string[] };

export function simulate(options: SimulatorOptions): Simulator {
  const random = randomOf(options.seed);
  const folders = {
    send: path.join(options.folder, 'SmtpSend'),
    connectivity: path.join(options.folder, 'Connectivity'),
  };
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
  const writers = {
    send: createWriter(folders.send, 'SEND', options, random),
    connectivity: createWriter(folders.connectivity, 'CONNECTLOG', options, random),
  };
  const truth: Record<string, number> = {};
  const rows = rowsFor(options.sessions, random);
  let next = 0;
  return {
    sendFolder: folders.send,
    connectivityFolder: folders.connectivity,
    step: (count) => {
      for (const row of rows.slice(next, next + count)) {
        writers[row.log].add(row.at, row.text);
        for (const fact of row.facts) truth[fact] = (truth[fact] ?? 0) + 1;
      }
      next += count;
      const done = next >= rows.length;
      // A restart of the service writes all it has and goes on without a header.
      const restarts = random() < 0.05;
      for (const writer of Object.values(writers))
        if (done || restarts || random() < 0.4) writer.flush(done || restarts);
      return !done;
    },
    oldest: (kept) => Object.values(writers).flatMap((writer) => writer.oldest(kept)),
    truth: () => truth,
  };
}

// ------------------------------------------------------------------------------------------------- what happens

/** The rows of all sessions in the order of their times; both logs of a session have the same times or nearly so. */
export function rowsFor(sessions: number, random: () => number): Row[] {
  const rows: Row[] = [];
  // Two hours before the midnight before the last one, so that the date turns on the way and nothing is in the future.
  const day = 86_400_000;
  const begun = (Math.floor(Date.now() / day) - 1) * day - 2 * 3_600_000;
  for (let n = 0; n < sessions; n++)
    rows.push(...sessionRows(n, begun + Math.floor((n / sessions) * 4 * 3_600_000), random));
  return rows
    .map((row, index) => ({ row, index }))
    .sort((a, b) => a.row.at - b.row.at || a.index - b.index)
    .map(({ row }) => row);
}

function sessionRows(n: number, begun: number, random: () => number): Row[] {
  const session = `08DE53F0${(0xa1000000 + n).toString(16).toUpperCase()}`;
  const rows: Row[] = [];
  let at = begun;
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
  // The first sessions go through all connectors, so that each is known by its name before it needs to be.
  const connector = connectors[n] ?? pick([connectors[0]!, ...connectors]);
  const hosts = [pick(connector.hosts), pick(connector.hosts)];
  const domain = hosts[0]![0];
  let sequence = 0;
  const connectivity = (direction: string, text: string, ...facts: string[]): void => {
    rows.push({
      at,
      log: 'connectivity',
      text: `${time(at)},${session},SMTP,${domain},${direction},${cell(text)}`,
      facts,
    });
  };
  const send = (remote: string, event: string, data: string, context: string, ...facts: string[]): void => {
    if (!connector.logs) return;
    const cells = [
      time(at),
      cell(connector.name),
      session,
      String(sequence++),
      '',
      remote,
      event,
      cell(data),
      cell(context),
    ];
    rows.push({ at, log: 'send', text: cells.join(','), facts });
  };
  const fact = (destination: string, what: string): string => `${connector.name} | ${destination} | ${what}`;
  connectivity('+', `${connector.delivery};QueueLength=TQ=1;RN=1;. `);
  at += 20;
  if (n >= connectors.length && connector.port === 25 && random() < 0.05) {
    connectivity(
      '>',
      `Non-existent domain reported by 192.0.2.53. [Domain:Result] = ${domain}:InfoDomainNonexistent;`,
      fact(domain, 'name_not_found'),
    );
    connectivity('-', 'Messages: 0 Bytes: 0 (DNS query failed)');
    return rows;
  }
  connectivity('>', hosts.map(([host, address]) => `${host}[${address}]`).join(', '));
  for (const [host, address] of hosts) {
    const remote = address.includes(':') ? `[${address}]:${connector.port}` : `${address}:${connector.port}`;
    if (random() < 0.5) send(remote, '*', 'SendRoutingHeaders', 'Set Session Permissions');
    send(remote, '*', '', 'attempting to connect');
    if (random() < 0.3) {
      const [code, hex, name, reason, ms] = pick(failures);
      at += ms;
      const words = `Failed to connect. Winsock error code: ${code}, Win32 error code: ${code}, Error Message: Es wurde keine Verbindung hergestellt, "${host}" ${remote}`;
      send(remote, '*', '', words);
      at += 1;
      const details = `[TargetHost:${host}:${connector.port}|MarkedUnhealthy|FailureCount:1|NextRetryTime:${time(at)}][TargetIPAddress:${address}:${connector.port}|MarkedUnhealthy|FailureCount:1|NextRetryTime:${time(at)}]`;
      const text = `Failed connection to ${address}:${connector.port} (${name}:${hex})${details}`;
      connectivity('>', text, fact(remote, 'attempts'), fact(remote, reason));
      continue;
    }
    at += 30;
    send(remote, '+', '', '');
    connectivity('>', `Established connection to ${address}`, fact(remote, 'attempts'));
    const said = talkOf(random);
    for (const [event, data, context, reason, ms, about] of said) {
      at += ms ?? Math.floor(random() * 40);
      send(remote, event, data, context, ...(reason === undefined ? [] : [fact(about ?? remote, reason)]));
    }
    connectivity('-', 'Messages: 1 Bytes: 28272 ()');
    return rows;
  }
  connectivity('-', 'Messages: 0 Bytes: 0 (Retry : Unable to connect)');
  return rows;
}

/** `about`: the destination that the reason is of, where it is not the one connected to. */
type Said = readonly [
  event: string,
  data: string,
  context: string,
  reason?: string | undefined,
  ms?: number | undefined,
  about?: string | undefined,
];

const greeting: readonly Said[] = [
  ['<', '220 mx.fabrikam.example ESMTP, ready', ''],
  ['>', 'EHLO mail.contoso.example', ''],
];
const extensions: readonly Said[] = [
  ['<', '250-mx.fabrikam.example', ''],
  ['<', '250-SIZE 36700160', ''],
  ['<', '250-STARTTLS', ''],
  ['<', '250 8BITMIME', ''],
];
const tlsBegun: readonly Said[] = [...greeting, ...extensions, ['>', 'STARTTLS', '']];
const mail: readonly Said[] = [
  ['>', 'MAIL FROM:<a,b@contoso.example> SIZE=1', ''],
  ['<', '250 2.1.0 Ok', ''],
  ['*', '', 'sending message with RecordId 42 and InternetMessageId <x@contoso.example>'],
  ['>', 'RCPT TO:<"quoted, name"@fabrikam.example>', ''],
  ['<', '550 5.1.1 no such user\\r\\n', ''],
  ['>', 'QUIT', ''],
  ['<', '221 bye', ''],
  ['-', '', 'Remote'],
];
const secured: readonly Said[] = [
  ...tlsBegun,
  ['<', '220 2.0.0 Ready to start TLS', ''],
  ['*', '', 'TLS protocol SP_PROT_TLS1_2_CLIENT negotiation succeeded using bulk encryption algorithm CALG_AES_256'],
  ['>', 'EHLO mail.contoso.example', ''],
  ...extensions,
];

const handshake: readonly Said[] = secured.slice(0, -1 - extensions.length);
const quit = (reason?: string, about?: string): readonly Said[] => [
  ['>', 'QUIT', '', reason, undefined, about],
  ['<', '221 2.0.0 Bye', ''],
  ['-', '', 'Local'],
];
const revocation = 'CRL validation failed with status RevocationOffline. Treating the failure as success.';
const level = 'Outbound TLS authentication failed for auth level DomainValidation with error';
const inner =
  '451 4.4.0 Primary target IP address responded with: "421 4.2.1 Unable to connect." Attempted failover to alternate host, but that did not succeed.';

/** What Exchange says and notes after EHLO was answered: most of it harms only where nobody goes on. */
const laterTalks: readonly (readonly Said[])[] = [
  [...handshake, ['*', 'SubjectMismatch', 'Chain validation status'], ...quit('certificate_name_mismatch')],
  [...handshake, ['*', 'UntrustedRoot', 'Chain validation status'], ...secured.slice(-1 - extensions.length), ...mail],
  [...handshake, ['*', '', `${level} UntrustedRoot`], ...quit('certificate_untrusted')],
  [...handshake, ['*', '', `${level} RevocationOffline`], ['*', '', revocation], ...mail],
  [...handshake, ['*', '', 'DirectTrust certificate failed to authenticate'], ...quit('certificate_untrusted')],
  [
    ...greeting,
    ...extensions,
    [
      '*',
      '',
      'Drop connection because TLS configuration requires TLS before MailFrom command and could not achieve it',
    ],
    ...quit('starttls_not_offered'),
  ],
  [
    ...secured,
    ['>', 'AUTH LOGIN', ''],
    ['<', '334 VXNlcm5hbWU6', ''],
    ['>', '<Binary Data>', ''],
    ['<', '535 5.7.3 Authentication unsuccessful', ''],
    ...quit('auth_rejected'),
  ],
  [
    ...secured,
    ['>', 'XPROXYTO DESTINATIONS=mx.inner.example FORCEHELO=False PORT=25 LAST=True', ''],
    ['<', inner, ''],
    ...quit('proxy_failed', 'mx.inner.example:25'),
  ],
  [
    ...secured,
    ['>', 'XPROXY SID=08DE IP=10.0.0.99 PORT=50000 DOMAIN=pc1 CAPABILITIES=0', ''],
    ['<', '235 ', ''],
    ['*', '', 'Proxy session successfully set up for user. Inbound session will now be blindly proxied'],
    ['-', '', 'Remote'],
  ],
  [['-', '', 'Remote(TimedOut)', 'banner_timeout', 600_000]],
  [...greeting, ['-', '', 'Remote(ConnectionAborted)', 'reset']],
];

/** Ways a conversation goes, with the reason on the row that makes it a failure. */
const talks: readonly (readonly Said[])[] = [
  [
    ['<', '554 5.7.1 blocked, see "https://rbl.example"', '', 'banner_5xx'],
    ['>', 'QUIT', ''],
    ['-', '', 'Remote'],
  ],
  [
    ['<', '421 4.3.2 busy', '', 'banner_4xx'],
    ['-', '', 'Remote'],
  ],
  [
    ['<', 'HTTP/1.1 400 Bad Request', '', 'not_smtp'],
    ['-', '', 'Local'],
  ],
  [['-', '', 'Remote', 'closed_by_remote']],
  [['-', '', 'Timeout', 'banner_timeout', 600_000]],
  [...greeting, ['<', '550 5.7.1 go away', ''], ['>', 'QUIT', '', 'ehlo_rejected'], ['-', '', 'Remote']],
  [...greeting, ['<', '500 what', ''], ['>', 'HELO mail.contoso.example', ''], ['<', '250 hello', ''], ...mail],
  [...tlsBegun, ['<', '454 4.7.0 TLS not available', ''], ['>', 'QUIT', '', 'starttls_rejected'], ['-', '', 'Local']],
  [...tlsBegun, ['<', '454 4.7.0 TLS not available', ''], ['-', '', 'Local', 'starttls_rejected']],
  [...tlsBegun, ['<', '454 4.7.0 TLS not available', ''], ...mail],
  [
    ...tlsBegun,
    ['<', '220 2.0.0 Ready to start TLS', ''],
    ['*', '', 'TLS negotiation failed with error CertExpired', 'certificate_expired'],
    ['-', '', 'Local'],
  ],
  [
    ...tlsBegun,
    ['<', '220 2.0.0 Ready to start TLS', ''],
    ['*', '', 'TLS negotiation failed with error AlgorithmMismatch', 'tls_handshake'],
    ['-', '', 'Local'],
  ],
  [...tlsBegun, ['<', '220 go ahead', ''], ['-', '', 'Remote', 'closed_by_remote']],
  [
    ...greeting,
    ['<', '250 8BITMIME', ''],
    [
      '*',
      '',
      "Connector is configured to send mail only over TLS connections and remote doesn't support TLS",
      'starttls_not_offered',
    ],
    ['>', 'QUIT', ''],
    ['-', '', 'Local'],
  ],
];

function talkOf(random: () => number): readonly Said[] {
  if (random() < 0.6) return random() < 0.5 ? [...secured, ...mail] : [...greeting, ...extensions, ...mail];
  const ways = random() < 0.5 ? talks : laterTalks;
  return ways[Math.floor(random() * ways.length)]!;
}

function time(at: number): string {
  return new Date(at).toISOString();
}

/** A cell is quoted only when it has to be. */
function cell(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// ------------------------------------------------------------------------------------------------ how it is written

const logTypes = { SEND: 'SMTP Send Protocol Log', CONNECTLOG: 'Transport Connectivity Log' } as const;
const fields = {
  SEND: 'date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context',
  CONNECTLOG: 'date-time,session,source,Destination,direction,description',
} as const;

type Writer = {
  readonly add: (at: number, row: string) => void;
  readonly flush: (all: boolean) => void;
  readonly oldest: (kept: number) => string[];
};

function createWriter(
  folder: string,
  prefix: keyof typeof fields,
  options: SimulatorOptions,
  random: () => number,
): Writer {
  const { fileBytes = 48_000, hourly = false } = options;
  /** Pieces that wait for the next flush, each for one file. */
  let waiting: { file: string; bytes: Buffer }[] = [];
  let period = '';
  let number = 0;
  let size = 0;
  const written: string[] = [];
  const nameOf = (): string => path.join(folder, `${prefix}${period}-${number}.LOG`);
  const turn = (at: number): void => {
    const wanted = time(at)
      .replace(/[-T:]/g, '')
      .slice(0, hourly ? 10 : 8);
    if (wanted === period && size < fileBytes) return;
    number = wanted === period ? number + 1 : 1;
    period = wanted;
    const lines = [
      '#Software: Microsoft Exchange Server',
      '#Version: 15.0.0.0',
      `#Log-type: ${logTypes[prefix]}`,
      `#Date: ${time(at)}`,
      `#Fields: ${fields[prefix]}`,
    ];
    const header = Buffer.from(`\ufeff${lines.join('\r\n')}\r\n`);
    size = header.length;
    waiting.push({ file: nameOf(), bytes: header });
    written.push(nameOf());
  };
  const flush = (all: boolean): void => {
    const last = waiting.pop();
    for (const { file, bytes } of waiting) appendFileSync(file, bytes);
    waiting = [];
    if (!last) return;
    // What has been flushed may end anywhere, in the middle of a row or of a letter.
    const end = all ? last.bytes.length : Math.floor(random() * (last.bytes.length + 1));
    appendFileSync(last.file, last.bytes.subarray(0, end));
    if (end < last.bytes.length) waiting.push({ file: last.file, bytes: last.bytes.subarray(end) });
  };
  return {
    add: (at, row) => {
      turn(at);
      const bytes = Buffer.from(`${row}\r\n`);
      size += bytes.length;
      const last = waiting.at(-1);
      if (last?.file === nameOf()) last.bytes = Buffer.concat([last.bytes, bytes]);
      else waiting.push({ file: nameOf(), bytes });
    },
    flush,
    oldest: (kept) => {
      const whole = written.filter((file) => waiting.every((each) => each.file !== file)).slice(0, -kept);
      written.splice(0, whole.length);
      return whole;
    },
  };
}

/** Names of the files of a folder with their sizes, for the message of a test that failed. */
export function filesIn(folder: string): string {
  if (!existsSync(folder)) return `${folder}: not there`;
  return readdirSync(folder)
    .map((name) => `${name} ${statSync(path.join(folder, name)).size}`)
    .join('\n');
}
