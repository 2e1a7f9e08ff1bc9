import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { namesFromMessage } from '../../src/events/message.js';

const known = ['Outbound', 'Outbound to Internet', 'Büro → Außen', 'Relay, "Legacy" <DMZ> & Co', 'To'];

describe('in English, without help', () => {
  test.each([
    [
      'Send connector Outbound to Internet: an error occurred while connecting to 203.0.113.25:25.',
      'Outbound to Internet',
      '203.0.113.25:25',
    ],
    [
      'Send connector A: an error occurred while connecting to B: an error occurred while connecting to [2001:db8::1]:25. \r\n',
      'A: an error occurred while connecting to B',
      '[2001:db8::1]:25',
    ],
    [
      'Send connector Line\nbreak: an error occurred while connecting to [fe80::1%12]:587',
      'Line\nbreak',
      '[fe80::1%12]:587',
    ],
    ['Send connector  padded : an error occurred while connecting to 192.0.2.1:25.', ' padded ', '192.0.2.1:25'],
  ])('%j', (message, connector, destination) => {
    expect(namesFromMessage(message, [])).toEqual({ connector, destination });
  });
});

describe('where Windows lacks the text and gives the bare strings', () => {
  const old =
    'The description for Event ID ( 2002 ) in Source ( MSExchangeTransport ) cannot be found. The local computer may not have the necessary registry information or message DLL files to display messages from a remote computer. The following information is part of the event: ';
  const newer =
    'The description for Event ID 2002 from source MSExchangeTransport cannot be found. Either the component that raises this event is not installed on your local computer or the installation is corrupted.\r\n\r\nThe following information was included with the event: \r\n\r\n';
  test.each([
    [`${old}Outbound to Internet, 203.0.113.25:25.`, 'Outbound to Internet'],
    [`${old}Outbound to Internet; 203.0.113.25:25.`, 'Outbound to Internet'],
    [`${old}'Outbound to Internet', '203.0.113.25:25'`, 'Outbound to Internet'],
    [`${old}Relay, "Legacy" <DMZ> & Co, 203.0.113.25:25.`, 'Relay, "Legacy" <DMZ> & Co'],
    [
      `${newer}Outbound to Internet\r\n203.0.113.25:25\r\n\r\nThe message resource is present but the message was not found in the message table.`,
      'Outbound to Internet',
    ],
    [`${newer}Büro → Außen\n203.0.113.25:25\n`, 'Büro → Außen'],
    [`${newer}203.0.113.25:25`, undefined],
  ])('%j', (message, connector) => {
    expect(namesFromMessage(message, [])).toEqual({ connector, destination: '203.0.113.25:25' });
  });
});

describe('in any other language, by the names that are known', () => {
  test.each([
    [
      'Sendeconnector Outbound to Internet: Fehler beim Herstellen einer Verbindung mit 203.0.113.25:25. ',
      'Outbound to Internet',
      '203.0.113.25:25',
    ],
    [
      "Connecteur d'envoi Büro → Außen : une erreur s'est produite lors de la connexion à [2001:db8:25::1]:25. ",
      'Büro → Außen',
      '[2001:db8:25::1]:25',
    ],
    [
      '发送连接器 Relay, "Legacy" <DMZ> & Co: 连接到 10.20.30.40:587 时出错。',
      'Relay, "Legacy" <DMZ> & Co',
      '10.20.30.40:587',
    ],
    [
      '送信コネクタOutbound to Internetが203.0.113.25:25への接続中にエラーが発生しました。',
      'Outbound to Internet',
      '203.0.113.25:25',
    ],
    ['10.0.0.1:25, dann Sendeconnector Fremd: Fehler mit 192.0.2.9:2525', undefined, '192.0.2.9:2525'],
    ['Sendeconnector Tor: Fehler mit 192.0.2.9:25', undefined, '192.0.2.9:25'],
    ['Sendeconnector To: Fehler mit 192.0.2.9:25', 'To', '192.0.2.9:25'],
  ])('%j', (message, connector, destination) => {
    expect(namesFromMessage(message, known)).toEqual({ connector, destination });
    if (connector !== undefined) expect(namesFromMessage(message, [])).toEqual({ connector: undefined, destination });
  });
});

test.each([
  '',
  'The Event log service was started.',
  'Send connector A: an error occurred while connecting to nowhere.',
  '999.1.1.1:25',
  '10.0.0.1:0',
  '10.0.0.1:99999',
  '1.2.3.4.5:25',
])('%j names no end point', (message) => {
  expect(namesFromMessage(message, known)).toBeUndefined();
});

test('finds any connector name in the English text', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 64, unit: 'grapheme' }), (name) => {
      const message = `Send connector ${name}: an error occurred while connecting to 203.0.113.25:25.`;
      expect(namesFromMessage(message, [])).toEqual({ connector: name, destination: '203.0.113.25:25' });
    }),
  );
});

test('long hostile texts take no long time', () => {
  for (const piece of [
    'Send connector ',
    ': an error occurred while connecting to ',
    '1.',
    '[:',
    'is part of the event: ',
    '\n',
  ]) {
    const text = `The description for Event ID ${piece.repeat(200_000 / piece.length)}`;
    expect(namesFromMessage(text, known)).toBeUndefined();
    expect(namesFromMessage(`Send connector ${text}`, known)).toBeUndefined();
  }
});
