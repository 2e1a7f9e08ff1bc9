/**
 * The workload of the benchmarks of reading: what four servers write into their Application logs, with events 2002 of 20 Send
 * connectors and 500 destinations, events related to errors, and decoys that speak of event 2002 and are none.
 */
import { open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createRandom } from './fuzz/random.mjs';

/** The servers by their full names. */
export const hosts = [
  'EXCH-EDGE01.corp.example.com',
  'EXCH-HUB01.corp.example.com',
  'EXCH-HUB02.corp.example.com',
  'EXCH-MBX01.corp.example.com',
];
const levels = { error: 2, warning: 3, information: 4 };

/**
 * The records of such a log one by one, the same in every run.
 * @param carrier `winlogbeat` or `event-xml`
 * @param share of event 2002 among the records, 0 to 1
 * @returns what gives the next line, of an event at that time, and says whether it is an event 2002
 */
export function createWorkload({ carrier, ...of }) {
  const write = { winlogbeat, 'event-xml': eventXml }[carrier];
  const next = createEvents(of);
  let recordId = 1_000_000;
  return (time) => {
    const { isError, event } = next();
    return { isError, line: `${write({ ...event, recordId: recordId++, time })}\n` };
  };
}

function createEvents({ share, servers = 4, connectors = 20, destinations = 500 }) {
  const { int: below, chance } = createRandom(2002);
  return () => {
    const server = hosts[below(servers)];
    const isError = chance(share);
    const event = isError ? sendError(below(connectors), below(destinations)) : anotherEvent(chance(0.08), below);
    return { isError, event: { ...event, server } };
  };
}

/**
 * The same as the binary log of each server, which numbers its own records.
 * @param writer the module of the tests
 * @returns the files, how many records are event 2002, and how many bytes there are
 */
export async function writeBinaryWorkload(folder, writer, { records, ...of }) {
  const next = createEvents(of);
  const first = Date.now() - records * millisecondsApart;
  const logs = new Map();
  let errors = 0;
  for (let n = 0; n < records; n++) {
    const { isError, event } = next();
    if (isError) errors++;
    const { server: computer, id: eventId, provider, qualifiers, values: strings } = event;
    const log = logs.get(computer) ?? writer.createLog();
    logs.set(computer, log);
    writer.addEvent(log, { computer, eventId, provider, qualifiers, strings, time: first + n * millisecondsApart });
  }
  const files = [];
  let bytes = 0;
  for (const [computer, log] of logs) {
    const image = writer.imageOf(log);
    bytes += image.length;
    files.push(path.join(folder, `${computer}.evtx`));
    await writeFile(files.at(-1), image);
  }
  return { files, errors, bytes };
}

/**
 * Writes an export, its last record as of now: nothing in it is of long ago, and nothing in the future.
 * @returns how many records are event 2002, and how many bytes there are
 */
export async function writeWorkload(file, { records, ...of }) {
  const next = createWorkload(of);
  const first = Date.now() - records * millisecondsApart;
  const handle = await open(file, 'w');
  let [errors, bytes, text] = [0, 0, ''];
  for (let n = 0; n < records; n++) {
    const { line, isError } = next(first + n * millisecondsApart);
    if (isError) errors++;
    text += line;
    if (text.length < 1 << 20 && n < records - 1) continue;
    bytes += (await handle.write(text)).bytesWritten;
    text = '';
  }
  await handle.close();
  return { errors, bytes };
}

/** One event 2002 as Winlogbeat writes it. @param time of the event, milliseconds since 1970 UTC; default: now */
export function winlogbeatLine(recordId, { server, connector, destination, at = Date.now() }) {
  return `${winlogbeat({ ...errorOf(connector, destination), server, recordId, time: at })}\n`;
}

/** A million records are ten hours. */
const millisecondsApart = 37;

function sendError(connector, destination) {
  const kind = ['to Internet', 'Partner', 'Legacy', 'DR Site', 'Smart Host'][connector % 5];
  const name = `Outbound ${kind} ${String(connector).padStart(2, '0')}`;
  // IPv6 in brackets now and then; all of them documentation and loopback addresses.
  const endpoint =
    destination % 10 === 0
      ? `[2001:db8:25::${(destination + 1).toString(16)}]:25`
      : `127.51.${100 + (destination >> 8)}.${destination & 255}:25`;
  return errorOf(name, endpoint);
}

function errorOf(name, endpoint) {
  return {
    ...{ id: 2002, provider: 'MSExchangeTransport', task: 'SmtpSend', qualifiers: 32772, level: 'warning' },
    message: `Send connector ${name}: an error occurred while connecting to ${endpoint}.`,
    values: [name, endpoint],
  };
}

/** ID, provider, task, qualifiers, level, message and strings of what else stands in such a log. */
const others = [
  [
    ...[9646, 'MSExchangeIS', 'General', 32768, 'warning'],
    (below) =>
      `Mapi session "/o=Corp/ou=Exchange/cn=Recipients/cn=user${below(9000)}" exceeded the maximum of 500 objects of type "objtFolder".`,
    (below) => [`/o=Corp/ou=Exchange/cn=Recipients/cn=user${below(9000)}`, '500'],
  ],
  [
    ...[1025, 'MSExchangeIS', 'General', 49152, 'error'],
    (below) =>
      `An error occurred on database "Mailbox Database ${below(900)}". Function name or description of problem: EcGetRestrictFolder. Error: 0x8004010${below(9)}.`,
    (below) => [`Mailbox Database ${below(900)}`, '0x8004010f'],
  ],
  [
    ...[326, 'ESE', 'General', 0, 'information'],
    (below) =>
      `edgetransport (${below(9000)}) Transport Mail Database: The database engine attached a database (1, C:\\Program Files\\Microsoft\\Exchange Server\\V15\\TransportRoles\\data\\Queue\\mail.que). (Time=0 seconds)`,
    (below) => [`edgetransport (${below(9000)}) `, 'mail.que'],
  ],
  [
    ...[623, 'ESE', 'Transaction Manager', 0, 'error'],
    (below) =>
      `store.exe (${below(9000)}) First Storage Group: The version store for this instance (0) has reached its maximum size of ${below(200)}Mb.`,
    (below) => [`store.exe (${below(9000)})`, '623'],
  ],
  [
    ...[1001, 'Windows Error Reporting', 'None', 0, 'information'],
    (below) =>
      `Fault bucket , type 0\nEvent Name: E12\nResponse: Not available\nCab Id: 0\nProblem signature: P1: c-RTL-AMD64 P2: 15.02.0986.0${below(90)} P3: w3wp`,
    (below) => ['', `15.02.0986.0${below(90)}`],
  ],
  // Related to errors: these are counted, too.
  [
    ...[1035, 'MSExchangeTransport', 'SmtpReceive', 32772, 'warning'],
    (below) =>
      `Inbound authentication failed with error LogonDenied for Receive connector Default EXCH-HUB0${below(3)}. The authentication mechanism is Login. The source IP address of the client who tried to authenticate to Microsoft Exchange is [127.51.100.${below(250)}].`,
    (below) => ['LogonDenied', `Default EXCH-HUB0${below(3)}`],
  ],
  [
    ...[12014, 'MSExchangeTransport', 'TransportService', 49156, 'error'],
    (below) =>
      `Microsoft Exchange could not find a certificate that contains the domain name mail${below(50)}.example.com in the personal store on the local computer.`,
    (below) => [`mail${below(50)}.example.com`, 'Outbound to Internet 00'],
  ],
];

/** Never event 2002, though their texts speak of it. */
const decoys = [
  [
    ...[2001, 'MSExchangeTransport', 'SmtpSend', 49156, 'error'],
    (below) => `Send connector Outbound Partner 01: the connection to 127.51.100.${below(250)}:25 was lost.`,
    (below) => ['Outbound Partner 01', `127.51.100.${below(250)}:25`],
  ],
  [
    ...[2002, 'VSS', 'None', 0, 'warning'],
    (below) => `Volume Shadow Copy Service warning: step ${below(100)} took longer than expected.`,
    (below) => [`step ${below(100)}`, 'VSS'],
  ],
  [
    ...[1000, 'Application Error', 'Application Crashing Events', 0, 'error'],
    (below) =>
      `Monitor script failed while searching for MSExchangeTransport event 2002 ("Send connector Outbound Legacy 02: an error occurred while connecting to 127.51.100.7:25."), attempt ${below(20)}.`,
    (below) => ['Outbound Legacy 02', `attempt ${below(20)} of 2002`],
  ],
  [
    ...[7010, 'MSExchangeTransport', 'SmtpSend', 32772, 'warning'],
    (below) => `Send connector statistics: 2002 messages were relayed in the last ${below(60)} minutes.`,
    (below) => ['2002', `${below(60)}`],
  ],
];

function anotherEvent(isDecoy, below) {
  const kinds = isDecoy ? decoys : others;
  const [id, provider, task, qualifiers, level, message, values] = kinds[below(kinds.length)];
  return { id, provider, task, qualifiers, level, message: message(below), values: values(below) };
}

/** As Winlogbeat 8 writes it, about 1,130 bytes. */
function winlogbeat({ id, provider, task, level, message, values, server, recordId, time }) {
  const [short = ''] = server.split('.');
  return JSON.stringify({
    '@timestamp': new Date(time).toISOString(),
    winlog: {
      ...{ record_id: recordId, api: 'wineventlog', channel: 'Application', computer_name: server },
      ...{ event_id: String(id), task, provider_name: provider, keywords: ['Classic'], opcode: 'Info' },
      event_data: Object.fromEntries(values.map((value, at) => [`param${at + 1}`, value])),
    },
    event: {
      ...{ code: String(id), kind: 'event', provider, created: new Date(time + 1250).toISOString(), action: task },
    },
    host: {
      ...{ name: server.toLowerCase(), hostname: short, architecture: 'x86_64' },
      os: {
        ...{ family: 'windows', platform: 'windows', name: 'Windows Server 2019 Standard', version: '10.0' },
        ...{ kernel: '10.0.17763.3650 (WinBuild.160101.0800)', build: '17763.3650', type: 'windows' },
      },
    },
    log: { level },
    ecs: { version: '8.0.0' },
    agent: {
      ...{ type: 'winlogbeat', version: '8.15.3', ephemeral_id: '5d0f3b7e-93a1-4c0e-8f5c-1b2f6f2f9a10' },
      ...{ id: 'c2f1a1d2-7b0e-4e3b-9a57-0d6fb4f3c901', name: short },
    },
    message,
  });
}

/** As wevtutil writes it, one event a line, about 590 bytes. */
function eventXml({ id, provider, task, qualifiers, level, values, server, recordId, time }) {
  const data = values.map((value) => `<Data>${escaped(value)}</Data>`).join('');
  return (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>" +
    `<Provider Name='${escaped(provider)}'/><EventID Qualifiers='${qualifiers}'>${id}</EventID><Version>0</Version>` +
    `<Level>${levels[level]}</Level><Task>${task === 'SmtpSend' ? 2 : 4}</Task><Opcode>0</Opcode>` +
    `<Keywords>0x80000000000000</Keywords><TimeCreated SystemTime='${new Date(time).toISOString().slice(0, -1)}0000Z'/>` +
    `<EventRecordID>${recordId}</EventRecordID><Correlation/><Execution ProcessID='0' ThreadID='0'/>` +
    `<Channel>Application</Channel><Computer>${server}</Computer><Security/></System><EventData>${data}</EventData></Event>`
  );
}

function escaped(text) {
  return text.replace(/[&<>"']/g, (mark) => entities[mark]);
}

const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };
