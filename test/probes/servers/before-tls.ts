/** Servers that differ before TLS: in the greeting, in the answer to EHLO, in that to STARTTLS. */
import { row, type Row } from './talk.js';

const tooLong = `220 ${'x'.repeat(5000)}\r\n`;
const lines = (count: number, code: string): string => `${`${code}-a line\r\n`.repeat(count - 1)}${code} the last\r\n`;
const binary = Buffer.from([0x16, 0x03, 0x01, 0x00, 0x05, 1, 0, 0, 1, 0]);
const alert = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28]);

export const greetings: readonly Row[] = [
  row('a good server', {}, 'passes'),
  row('a slow greeting', { slow: { banner: 150 } }, 'passes'),
  row('a greeting of three lines', { banner: lines(3, '220') }, 'passes'),
  row('a greeting without a text', { banner: '220\r\n' }, 'passes'),
  row('a greeting that ends with LF alone', { banner: '220 mail\n' }, 'passes'),
  row('a greeting in UTF-8', { banner: Buffer.from('220 Grüß Gott\r\n') }, 'passes'),
  row('silence', { silentAt: 'banner' }, 'fails banner banner_timeout', undefined, /no answer within/),
  row('a hang-up', { closesAt: 'banner' }, 'fails banner closed_by_remote'),
  row('a reset', { slow: { banner: 100 }, resetsAt: 'banner' }, 'fails banner reset'),
  row('half a line', { banner: '220 mail' }, 'fails banner banner_timeout', undefined, /unfinished line: 220 mail/),
  row('421', { banner: '421 4.3.2 closing\r\n' }, 'fails banner banner_4xx', undefined, /421 4\.3\.2 closing/),
  row('450', { banner: '450 later\r\n' }, 'fails banner banner_4xx'),
  row('554', { banner: '554 5.7.1 not you\r\n' }, 'fails banner banner_5xx', undefined, /554 5\.7\.1 not you/),
  row('554 on two lines', { banner: '554-no\r\n554 no\r\n' }, 'fails banner banner_5xx'),
  row('554, then 220', { banner: '554-hi\r\n220 ok\r\n' }, 'fails banner not_smtp', undefined, /554 and then: 220 ok/),
  row('220, then 554', { banner: '220-hi\r\n554 no\r\n' }, 'fails banner not_smtp', undefined, /220 and then: 554 no/),
  row('554, then 220 behind a space', { banner: '554-hi\r\n 220 ok\r\n' }, 'fails banner not_smtp'),
  row('a greeting twice', { banner: '220 a\r\n220 b\r\n' }, 'fails banner not_smtp', undefined, /surplus reply: 220 b/),
  row(
    'a greeting and 554',
    { banner: '220 a\r\n554 b\r\n' },
    'fails banner not_smtp',
    undefined,
    /surplus reply: 554 b/,
  ),
  row('250 for a greeting', { banner: '250 hello\r\n' }, 'fails banner not_smtp'),
  row('334 for a greeting', { banner: '334 go\r\n' }, 'fails banner not_smtp'),
  row('a line too long', { banner: tooLong }, 'fails banner not_smtp', undefined, /more than 4096 bytes/),
  row('lines without end', { banner: lines(200, '220') }, 'fails banner not_smtp', undefined, /at most 128 lines/),
  row('an empty line', { banner: '\r\n' }, 'fails banner not_smtp', undefined, /empty line/),
  row('zeros', { banner: Buffer.alloc(64) }, 'fails banner banner_timeout'),
  row('masked by a firewall', { banner: '220 ****************\r\n' }, 'passes'),
  row('220 with no space', { banner: '220mail\r\n' }, 'fails banner not_smtp'),
  row('22 for 220', { banner: '22 mail\r\n' }, 'fails banner not_smtp'),
  row('a hello of TLS', { banner: binary }, 'fails banner not_smtp', undefined, /speaks TLS at once \(port 465\?\)/),
  row('an alert of TLS', { banner: alert }, 'fails banner not_smtp', undefined, /speaks TLS at once \(port 465\?\)/),
  row('HTTP', { banner: 'HTTP/1.1 400 Bad Request\r\n\r\n' }, 'fails banner not_smtp', undefined, /HTTP\/1\.1 400/),
  row('SSH', { banner: 'SSH-2.0-OpenSSH_9.6\r\n' }, 'fails banner not_smtp', undefined, /SSH-2\.0/),
  row('POP3', { banner: '+OK POP3 ready\r\n' }, 'fails banner not_smtp', undefined, /\+OK/),
  row('IMAP', { banner: '* OK IMAP4rev1\r\n' }, 'fails banner not_smtp', undefined, /\* OK/),
  row('FTP', { banner: '220 FTP\r\n', ehlo: '502 no\r\n', helo: '502 no\r\n' }, 'fails ehlo ehlo_rejected'),
  row('a hang-up behind the greeting', { closesAfter: 'banner' }, 'fails ehlo closed_by_remote'),
];

const plain = '250-mail.contoso.example\r\n250 SIZE\r\n';
const noOffer = ['warns starttls starttls_not_offered', 'fails starttls starttls_not_offered'] as const;

const refusedAtEhlo = ['fails ehlo ehlo_rejected', undefined] as const;

export const answersToEhlo: readonly Row[] = [
  row('offers nothing', { ehlo: '250 mail.contoso.example\r\n' }, ...noOffer, /got: none/),
  row('offers no STARTTLS', { ehlo: plain }, ...noOffer, /got: SIZE/),
  row('knows HELO only', { ehlo: '500 what?\r\n' }, ...noOffer, /refused EHLO and accepted HELO: 500 what/),
  row('502 to EHLO', { ehlo: '502 5.5.1 no\r\n' }, ...noOffer),
  row('504 to EHLO only', { ehlo: '504 5.5.2 no\r\n' }, ...noOffer, /504 5\.5\.2/),
  row(
    '504 to both',
    { ehlo: '504 no\r\n', helo: '504 full name\r\n' },
    'fails ehlo ehlo_rejected',
    undefined,
    /504 full name/,
  ),
  row('550 to both', { ehlo: '550 no\r\n', helo: '550 no\r\n' }, 'fails ehlo ehlo_rejected'),
  row('554 on two lines', { ehlo: '554-no\r\n554 no\r\n', helo: '554 no\r\n' }, 'fails ehlo ehlo_rejected'),
  row('421 to EHLO', { ehlo: '421 4.7.0 too many\r\n' }, 'fails ehlo ehlo_rejected', undefined, /421 4\.7\.0/),
  row('450 to EHLO', { ehlo: '450 later\r\n' }, 'fails ehlo ehlo_rejected'),
  row('220 to EHLO', { ehlo: '220 what\r\n' }, 'fails ehlo ehlo_rejected'),
  row('silent at EHLO', { silentAt: 'ehlo' }, 'fails ehlo timeout'),
  row('hangs up at EHLO', { closesAt: 'ehlo' }, 'fails ehlo closed_by_remote'),
  row('resets at EHLO', { resetsAt: 'ehlo' }, 'fails ehlo reset'),
  row(
    '550 to EHLO, HELO accepted',
    { ehlo: '550 5.7.1 Client host blocked by policy\r\n' },
    ...refusedAtEhlo,
    /^expected 250 after EHLO probe\.contoso\.example, got: 550 5\.7\.1 Client host blocked by policy$/,
  ),
  row(
    '554 to EHLO, then a hang-up',
    { ehlo: '554 5.7.1 go\r\n', closesAfter: 'ehlo' },
    ...refusedAtEhlo,
    /554 5\.7\.1 go/,
  ),
  row('550 to EHLO, then silence', { ehlo: '550 5.7.1 no\r\n', silentAt: 'helo' }, ...refusedAtEhlo, /550 5\.7\.1 no$/),
  row('550 to EHLO, then a reset', { ehlo: '550 5.7.1 no\r\n', resetsAt: 'helo' }, ...refusedAtEhlo, /550 5\.7\.1 no$/),
  row('521 to EHLO', { ehlo: '521 no mail here\r\n' }, ...refusedAtEhlo, /521 no mail here$/),
  row('501 to EHLO only', { ehlo: '501 5.5.4 argument\r\n' }, ...noOffer, /501 5\.5\.4/),
  row(
    '500 to EHLO, 503 to HELO',
    { ehlo: '500 what?\r\n', helo: '503 bad sequence\r\n' },
    ...refusedAtEhlo,
    /after EHLO [\w.]+, got: 500 what\?; then after HELO [\w.]+, got: 503 bad sequence$/,
  ),
  row(
    'hangs up at HELO',
    { ehlo: '500 no\r\n', closesAt: 'helo' },
    ...refusedAtEhlo,
    /got: 500 no; then after HELO [\w.]+, got: the server closed the connection$/,
  ),
  row(
    'silent at HELO',
    { ehlo: '502 no\r\n', silentAt: 'helo' },
    ...refusedAtEhlo,
    /got: 502 no; then .*no answer within/,
  ),
  row('resets at HELO', { ehlo: '502 no\r\n', resetsAt: 'helo' }, ...refusedAtEhlo, /got: 502 no; then after HELO/),
  row('no SMTP to HELO', { ehlo: '502 no\r\n', helo: 'eh\r\n' }, ...refusedAtEhlo, /got: 502 no; then .*: eh$/),
  row('500 to EHLO and 250 at once', { ehlo: '500 no\r\n250 yes\r\n' }, 'fails ehlo not_smtp', undefined, /250 yes/),
  row('no SMTP to EHLO', { ehlo: 'hello you\r\n' }, 'fails ehlo not_smtp'),
  row(
    'an answer that never ends',
    { ehlo: '250-STARTTLS\r\n' },
    'fails ehlo timeout',
    undefined,
    /only the unfinished reply: 250-STARTTLS$/,
  ),
  row('an answer of 200 lines', { ehlo: lines(200, '250') }, 'fails ehlo not_smtp'),
  row(
    'two answers at once',
    { ehlo: `${plain}250 again\r\n` },
    'fails ehlo not_smtp',
    undefined,
    /surplus reply: 250 again/,
  ),
  row('an answer and a refusal at once', { ehlo: '250-STARTTLS\r\n250 ok\r\n554 no\r\n' }, 'fails ehlo not_smtp'),
  row('a refusal and an answer at once', { ehlo: '450 no\r\n250-x\r\n250 STARTTLS\r\n' }, 'fails ehlo ehlo_rejected'),
  row('codes that differ', { ehlo: '250-x\r\n550-STARTTLS\r\n250 ok\r\n' }, 'fails ehlo not_smtp'),
  row('starttls in lower case', { ehlo: '250-x\r\n250 starttls\r\n' }, 'passes'),
  row('STARTTLS with a parameter', { ehlo: '250-x\r\n250-STARTTLS now\r\n250 SIZE\r\n' }, 'passes'),
  row('STARTTLS in the first line only', { ehlo: '250-STARTTLS\r\n250 SIZE\r\n' }, ...noOffer),
  row('STARTTLS behind two spaces', { ehlo: '250-x\r\n250  STARTTLS\r\n' }, ...noOffer, /got: {2}STARTTLS/),
  row('STARTTLS behind a tab', { ehlo: '250-x\r\n250-\tSTARTTLS\r\n250 SIZE\r\n' }, ...noOffer),
  row('STARTTLS as a part of a word', { ehlo: '250-x\r\n250 XSTARTTLS\r\n' }, ...noOffer, /XSTARTTLS/),
  row('STARTTLS masked', { ehlo: '250-x\r\n250 XXXXXXXA\r\n' }, ...noOffer, /XXXXXXXA/),
  row('odd keywords', { ehlo: '250-x\r\n250-\r\n250-=\r\n250-\t\r\n250 STARTTLS\r\n' }, 'passes'),
];

const refused = (reason: string) => [`warns starttls ${reason}`, `fails starttls ${reason}`] as const;

export const answersToStartTls: readonly Row[] = [
  row('454 to STARTTLS', { starttls: '454 4.7.0 no TLS now\r\n' }, ...refused('starttls_rejected'), /454 4\.7\.0/),
  row('502 to STARTTLS', { starttls: '502 no\r\n' }, ...refused('starttls_rejected')),
  row('501 to STARTTLS', { starttls: '501 no\r\n' }, ...refused('starttls_rejected')),
  row('250 to STARTTLS', { starttls: '250 ok\r\n' }, ...refused('starttls_rejected')),
  row('421 to STARTTLS', { starttls: '421 bye\r\n' }, ...refused('starttls_rejected')),
  row('no SMTP to STARTTLS', { starttls: 'sure\r\n' }, ...refused('not_smtp')),
  row('silent at STARTTLS', { silentAt: 'starttls' }, ...refused('timeout')),
  row('hangs up at STARTTLS', { closesAt: 'starttls' }, ...refused('closed_by_remote')),
  row('resets at STARTTLS', { resetsAt: 'starttls' }, ...refused('reset')),
  row(
    '220 and a reply slipped in',
    { starttls: '220 go\r\n250 slipped in\r\n' },
    'fails starttls starttls_rejected',
    undefined,
    /response injection/,
  ),
  row('220 and half a line', { starttls: '220 go\r\n250' }, 'fails starttls starttls_rejected'),
];
