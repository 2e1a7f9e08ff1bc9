/** Both transport logs as Exchange writes them, of sessions of which 1 % fail. */
import { open } from 'node:fs/promises';

const failing = 0.01;
export const connector = { Name: 'Outbound to Internet', Guid: '2f6f0e8e-6a5c-4f0e-9d53-0b1b7f0f5f10' };
/** All rows are of the hours before now. */
export const firstAt = Date.now() - 10 * 3_600_000;
const sessionsApartMs = 100;

export function writeSendLog(file, rows) {
  return write(file, rows, sendHeader, sendSession);
}

/** Every session is of a Send connector. */
export function writeConnectivityLog(file, rows) {
  return write(file, rows, connectivityHeader, connectivitySession);
}

/** Of every 25 sessions one is of a Send connector, and one row of its four tells of an attempt. */
export function writeMailboxLog(file, rows) {
  return write(file, rows, connectivityHeader, (n) => (n % 25 === 0 ? connectivitySession(n) : deliverySession(n)));
}

/** Sessions overlap: each row comes from another one of the hundred that are open. */
async function write(file, rows, header, rowsOf) {
  const handle = await open(file, 'w');
  let text = `\ufeff${header}\r\n`;
  const open100 = [];
  let session = 0;
  for (let written = 0; written < rows; written++) {
    const slot = written % 100;
    if (!open100[slot]?.length) open100[slot] = rowsOf(session++);
    text += `${open100[slot].shift()}\r\n`;
    if (text.length > 1_000_000) {
      await handle.write(text);
      text = '';
    }
  }
  await handle.write(text);
  await handle.close();
}

const sendHeader =
  '#Software: Microsoft Exchange Server\r\n#Version: 15.0.0.0\r\n#Log-type: SMTP Send Protocol Log\r\n#Date: 2026-01-15T08:00:00.000Z\r\n#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context';
const connectivityHeader =
  '#Software: Microsoft Exchange Server\r\n#Version: 15.0.0.0\r\n#Log-type: Transport Connectivity Log\r\n#Date: 2026-01-15T08:00:00.000Z\r\n#Fields: date-time,session,source,Destination,direction,description';

function namesOf(n) {
  const id = `08DE53F0${(0xa0000000 + n).toString(16).toUpperCase()}`;
  const address = `203.0.${n % 4}.${n % 250}`;
  const time = new Date(firstAt + n * sessionsApartMs).toISOString();
  return { id, address, time, fails: n % 100 < failing * 100 };
}

/** About 24 rows, as Exchange writes them for a message over TLS. */
function sendSession(n) {
  const { id, address, time, fails } = namesOf(n);
  let sequence = 0;
  const row = (event, data, context, local = '192.168.1.100:44276') =>
    `${time},Outbound to Internet,${id},${sequence++},${local},${address}:25,${event},${data},${context}`;
  const begun = [
    row('*', 'SendRoutingHeaders', 'Set Session Permissions', ''),
    row('*', '', 'attempting to connect', ''),
  ];
  if (fails) {
    const words = `"Failed to connect. Winsock error code: 10060, Win32 error code: 10060, Error Message: A connection attempt failed because the connected party did not properly respond after a period of time, or established connection failed because connected host has failed to respond ${address}:25"`;
    return [...begun, row('*', '', words, '')];
  }
  return [
    ...begun,
    row('+', '', ''),
    row('<', '220 mx.fabrikam.example ESMTP Postfix ready', ''),
    row('>', 'EHLO mail.contoso.example', ''),
    row('<', '250-mx.fabrikam.example', ''),
    row('<', '250-SIZE 36700160', ''),
    row('<', '250-STARTTLS', ''),
    row('<', '250 8BITMIME', ''),
    row('>', 'STARTTLS', ''),
    row('<', '220 2.0.0 Ready to start TLS', ''),
    row(
      '*',
      '',
      'TLS protocol SP_PROT_TLS1_2_CLIENT negotiation succeeded using bulk encryption algorithm CALG_AES_256',
    ),
    row('>', 'EHLO mail.contoso.example', ''),
    row('<', '250-mx.fabrikam.example', ''),
    row('<', '250 8BITMIME', ''),
    row('*', '', 'sending message with RecordId 42 and InternetMessageId <0123456789@mail.contoso.example>'),
    row('>', 'MAIL FROM:<someone@contoso.example> SIZE=28272', ''),
    row('>', 'RCPT TO:<somebody@fabrikam.example>', ''),
    row('<', '250 2.1.0 Ok', ''),
    row('<', '250 2.1.5 Ok', ''),
    row('>', 'DATA', ''),
    row('<', '354 End data with <CR><LF>.<CR><LF>', ''),
    row('<', '250 2.0.0 Ok: queued as 4XYZ', ''),
    row('>', 'QUIT', ''),
    row('<', '221 2.0.0 Bye', ''),
    row('-', '', 'Local'),
  ];
}

function connectivitySession(n) {
  const { id, address, time, fails } = namesOf(n);
  const row = (direction, text) => `${time},${id},SMTP,fabrikam.example,${direction},${text}`;
  const begun = [
    row('+', 'DnsConnectorDelivery 2f6f0e8e-6a5c-4f0e-9d53-0b1b7f0f5f10;QueueLength=TQ=1;RN=1;. '),
    row('>', `mx1.fabrikam.example[${address}]`),
  ];
  if (!fails)
    return [...begun, row('>', `Established connection to ${address}`), row('-', 'Messages: 1 Bytes: 28272 ()')];
  const details = `[TargetHost:mx1.fabrikam.example:25|MarkedUnhealthy|FailureCount:1|NextRetryTime:${time}][TargetIPAddress:${address}:25|MarkedUnhealthy|FailureCount:1|NextRetryTime:${time}]`;
  return [
    ...begun,
    row('>', `Failed connection to ${address}:25 (TimedOut:0000274C)${details}`),
    row('-', 'Messages: 0 Bytes: 0 (Retry : Unable to connect)'),
  ];
}

/** A message to a mailbox of the server itself: no Send connector is part of it. */
function deliverySession(n) {
  const { id, time } = namesOf(n);
  const row = (direction, text) => `${time},${id},MapiDelivery,mailbox database 01,${direction},${text}`;
  return [
    row('+', 'QueueLength=TQ=1;RN=1;. '),
    row('>', 'Connecting to server exch01.contoso.example'),
    row('>', 'Delivery session established'),
    row('-', 'Messages: 1 Bytes: 28272 ()'),
  ];
}
