/** Values that no honest log holds, or not in that place. All are strings; numbers are as JSON would write them. */

const marks = [
  '2002',
  'EventID',
  'event_id',
  'MSExchangeTransport',
  'MSExchangeFrontEndTransport',
  '"EventID":2002,',
  '<EventID>2002</EventID>',
  '<Event>',
  '</Event>',
  '<Provider Name="MSExchangeTransport"/>',
  '</Events>',
  '<Data>',
  'SmtpSend',
  'MSWinEventLog',
  '#Fields: ',
  '#Log-type: SMTP Send Protocol Log',
  'Send connector ',
  ': an error occurred while connecting to ',
  'is part of the event: ',
  'The description for Event ID ( 2002 ) in Source ( MSExchangeTransport ) cannot be found. ',
  'attempting to connect',
  'Winsock error code: 10060',
  '203.0.113.25:25',
  '[2001:db8::1]:25',
  '[::ffff:203.0.113.25%eth0]:25',
  '__proto__',
  'constructor',
  'winlog.event_data.param1',
];

const times = [
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.9999999Z',
  '+275760-09-13T00:00:00.001Z',
  '1601-01-01T00:00:00.0000000Z',
  '2026-02-30T25:61:61Z',
  '2026-01-15T08:14:02.99999999999999999999999Z',
  '-1',
  '1e308',
  '/Date(253402300799999)/',
  '/Date(-62135596800000)/',
  'Thu Jan 15 08:14:02 9999',
  'NaN',
  'Invalid Date',
];

const numbers = [
  '0',
  '-0',
  '-1',
  '2002.5',
  '2.002e3',
  '1e309',
  '-1e309',
  '1e-400',
  '4294967296',
  '9007199254740993',
  '18446744073709551616',
  '9'.repeat(400),
  '0'.repeat(400) + '2002',
  '0x7d2',
];

const oddities = [
  '',
  ' ',
  '\0',
  '\ud800',
  '\udc00\ud800',
  '\u202e',
  '\ufeff',
  '\u0085\u2028\u2029',
  '\u0001\u0007\u001b[31m\u007f',
  '\r\n',
  '\n\n\n',
  '\t',
  '"',
  "'",
  '\\',
  '\\u',
  '\\ud800',
  '&#0;',
  '&#xD800;',
  '&#x110000;',
  '&amp;amp;',
  '&unknown;',
  '&',
  '<![CDATA[',
  ']]>',
  '<!--',
  '-->',
  '<?',
  '?>',
  '{',
  '}',
  '[',
  ']',
  '%1',
  '%%1',
  'other',
  'unknown',
];

/** What a careless regular expression steps back over, one step for each of many. */
const pumps = [
  ' ',
  '\t',
  '\r\n',
  '\n ',
  ', ',
  '"',
  '""',
  "'",
  '\\',
  ': ',
  '.',
  '1',
  '1.',
  '1.1.1.1:',
  '203.0.113.25:25 ',
  '[::',
  '[2001:db8::1]:25,',
  '[',
  ']',
  '(',
  '%',
  ';',
  '=',
  '-',
  '-1',
  'a',
  'a.',
  'ä ',
  '<',
  '<!--',
  '<a>',
  '&',
  '&#',
  '&amp;',
  '{"',
  '{"a":',
  '[[',
  '\\u',
  'is part of the event: ',
  'was included with the event:',
  'Send connector ',
  ': an error occurred while connecting to ',
  'Error Message: ',
  'Winsock error code: 1, ',
  'QueueLength=TQ=3;',
  'mx[203.0.113.25], ',
  '250-',
  '2026-01-15T08:14:02Z ',
];

/** @param random as `createRandom` gives it */
export function oddText(random) {
  return random.pick(random.pick([marks, times, numbers, oddities]));
}

export function oddNumber(random) {
  return random.pick(numbers.filter((each) => each !== '0x7d2'));
}

export function mark(random) {
  return random.pick(marks);
}

/** At most about `most` characters of one kind. */
export function pumped(random, most = 150_000) {
  const pump = random.pick(pumps);
  return pump.repeat(Math.max(1, Math.floor(random.size(most) / pump.length)));
}

/** A text with something else at its beginning, its end, in it or in its stead. */
export function spoilt(random, text, most) {
  const at = random.int(text.length + 1);
  const odd = random.chance(0.5) ? pumped(random, most) : oddText(random);
  if (random.chance(0.2)) return odd;
  const again = random.chance(0.3) ? pumped(random, most) : '';
  return text.slice(0, at) + odd + text.slice(at) + again;
}
