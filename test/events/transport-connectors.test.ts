/** Which Send connector a session belongs to: front ends that pass mail on, and names in the language of a server. */
import { expect, test } from 'vitest';
import { classify } from '../../src/events/classify.js';
import { connectivityLines, readerOf, sendLines } from './transport-sessions.js';

const guid = '3b7d6f0e-1111-4222-8333-444455556666';
const intra = 'Intra-Organization SMTP Send Connector';
const hub = '08DE53D0A1B2C499';
const frontEnd = '08DE53D0A1B2C403';

const hubLines = connectivityLines(hub, 'fabrikam.example', [
  ['+', `DnsConnectorDelivery ${guid};QueueLength=TQ=1;RN=1;. `],
  ['>', 'Outbound proxy via EXCH02.contoso.example[10.0.0.5]'],
  ['>', 'Established connection to 10.0.0.5'],
  ['-', 'Messages: 0 Bytes: 0 (Retry)'],
]);
const frontEndLines = connectivityLines(frontEnd, 'Outbound Proxy', [
  ['+', `Outbound proxy from EXCH01.contoso.example with session id ${hub}. Proxied session id 08DE53D0A1B2C498`],
  ['>', 'mx.fabrikam.example[203.0.113.25]'],
  ['>', 'Failed connection to 203.0.113.25:25 (TimedOut:0000274C)'],
]);

test('4.8: on a front end mail that is passed on is not of the Intra-Organization connector', () => {
  const reader = readerOf();
  reader.read(frontEndLines);
  reader.read(
    connectivityLines('08DE53D0A1B2C404', 'Client Proxy', [
      ['+', 'Client proxy session for user@contoso.example. Proxied session id 08DE53D0A1B2C300'],
      ['>', 'Failed connection to 10.0.0.6:465 (ConnectionRefused:0000274D)'],
    ]),
  );
  reader.read(
    connectivityLines('08DE53D0A1B2C405', 'x', [
      ['+', 'Undefined 00000000-0000-0000-0000-000000000000;QueueLength=TQ=1;. '],
      ['>', 'Failed connection to 10.0.0.7:25 (ConnectionRefused:0000274D)'],
    ]),
  );
  expect(reader.told()).toEqual({
    'unknown | 203.0.113.25:25 | attempts': 1,
    'unknown | 203.0.113.25:25 | timeout': 1,
    'unknown | 10.0.0.6:465 | attempts': 1,
    'unknown | 10.0.0.6:465 | refused': 1,
    'unknown | 10.0.0.7:25 | attempts': 1,
    'unknown | 10.0.0.7:25 | refused': 1,
  });
});

test.each([
  ['one server, hub first', 'exch01', 'exch01', true],
  ['one server, front end first', 'exch01', 'exch01', false],
  ['two servers, hub first', 'exch01', 'exch02', true],
  ['two servers, front end first', 'exch01.contoso.example', 'exch02', false],
])('4.8: the session that it passes on names the connector: %s', (_, hubServer, frontEndServer, hubFirst) => {
  const reader = readerOf({ [guid]: 'Outbound to Internet' });
  const logs = [
    [hubLines, hubServer],
    [frontEndLines, frontEndServer],
  ] as const;
  for (const [lines, server] of hubFirst ? logs : logs.toReversed()) reader.read(lines, server);
  reader.pass(1_000);
  expect(reader.told()).toMatchObject({
    'Outbound to Internet | 203.0.113.25:25 | attempts': 1,
    'Outbound to Internet | 203.0.113.25:25 | timeout': 1,
  });
});

test('4.8: the Send log of the front end names the connector of the session itself', () => {
  const reader = readerOf({ [guid]: 'Outbound to Internet' });
  const connector = 'Outbound Proxy External Send Connector';
  reader.read(frontEndLines);
  reader.read(sendLines({ connector, session: frontEnd, said: [] }));
  expect(Object.keys(reader.told())).toEqual([
    `${connector} | 203.0.113.25:25 | attempts`,
    `${connector} | 203.0.113.25:25 | timeout`,
  ]);
});

const relay = (session: string) =>
  connectivityLines(session, 'site:berlin; version: 15', [
    ['+', 'SmtpRelayToDag 5f1d2c3b-1111-4222-8333-444455550001;QueueLength=TQ=2;AN=2;. '],
    ['>', 'Failed connection to 10.0.0.168:25 (ConnectionRefused:0000274D)'],
  ]);

const event = (connector: string) =>
  ({
    kind: 'event',
    provider: 'MSExchangeTransport',
    eventId: 2002,
    channel: 'Application',
    computer: 'EXCH01',
    recordId: 5,
    time: 0,
    values: [connector, '10.0.0.168:25'],
    message: undefined,
  }) as const;

test('4.9: an implicit connector that a server names in its own language has one name, in events and both logs', () => {
  const chinese = '组织内 SMTP 发送连接器';
  const found = classify(event(chinese), { server: 'exch01', knownConnectors: () => [] });
  expect(found).toMatchObject({ connector: intra });
  const reader = readerOf();
  reader.read(relay('08DE53D0A1B2C402'));
  reader.read(sendLines({ connector: chinese, remote: '10.0.0.168:25', said: [['<', '554 no']] }));
  expect(reader.told()).toEqual({
    [`${intra} | 10.0.0.168:25 | attempts`]: 1,
    [`${intra} | 10.0.0.168:25 | refused`]: 1,
    [`${intra} | 10.0.0.168:25 | banner_5xx`]: 1,
  });
});

test('4.9: a name in a language that nobody has told us is learned from a session that both logs tell', () => {
  const local = 'Ein Connector in der Sprache des Servers';
  const reader = readerOf();
  const session = '08DE53D0A1B2C402';
  reader.read(relay(session));
  reader.read(sendLines({ connector: local, session, remote: '10.0.0.168:25', said: [['<', '554 no']] }));
  expect(reader.told()).toEqual({
    [`${intra} | 10.0.0.168:25 | attempts`]: 1,
    [`${intra} | 10.0.0.168:25 | refused`]: 1,
    [`${intra} | 10.0.0.168:25 | banner_5xx`]: 1,
  });
  const options = { server: 'exch01', knownConnectors: () => [], nameOf: reader.joined.nameOf };
  expect(classify(event(local), options)).toMatchObject({ connector: intra });
  expect(classify(event('Outbound to Internet'), options)).toMatchObject({ connector: 'Outbound to Internet' });
});

test('4.9: a Send connector of the inventory keeps its name, whatever it delivers', () => {
  const reader = readerOf({ [guid]: 'Zu Berlin' });
  const session = '08DE53D0A1B2C402';
  reader.read(relay(session));
  reader.read(sendLines({ connector: 'Zu Berlin', session, remote: '10.0.0.168:25', said: [] }));
  expect(reader.joined.nameOf('Zu Berlin')).toBe('Zu Berlin');
});

test('2.1: a session that both logs tell under two names of its server is one, also when the full name is learnt between', () => {
  const id = '08DE53D0A1B2C3D7';
  const rows = connectivityLines(id, 'relay.example', [
    ['+', 'SmtpRelayToRemoteAdSite; QueueLength=1'],
    ['>', '203.0.113.25'],
    ['>', 'Established connection to 203.0.113.25'],
    ['-', 'Messages: 1 Bytes: 100'],
  ]);
  const said = sendLines({ connector: 'Out', session: id, said: [] });
  const full = 'exch01.contoso.local';
  const told = (read: (reader: ReturnType<typeof readerOf>, learn: () => void) => void): Record<string, number> => {
    const names = new Map<string, string>();
    const reader = readerOf({}, (server) => names.get(server) ?? server);
    read(reader, () => names.set('exch01', full));
    return reader.told();
  };
  const underOneName = told((reader) => {
    reader.read(rows);
    reader.read(said);
  });
  expect(Object.values(underOneName)).toEqual([1]);
  const learntBetween = told((reader, learn) => {
    reader.read(rows, 'exch01');
    learn();
    reader.read(said, 'exch01');
  });
  expect(learntBetween).toEqual(underOneName);
  const twoNames = told((reader, learn) => {
    learn();
    reader.read(rows, full);
    reader.read(said, 'exch01');
  });
  expect(twoNames).toEqual(underOneName);
});
