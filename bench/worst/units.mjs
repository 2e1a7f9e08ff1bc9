/** Units of garbage for the text formats: short, deep, wide, half, and as near to a record as the byte filters can tell. */

const deep = 5_000;
const many = 2_000;

/** @returns by name what is to be repeated; where it has a `%N`, a number stands in its place, another one each time */
export function unitsOf({ framing, idMark, name }) {
  const mark = markOf(idMark);
  const units = framing === 'xml' ? xmlUnits() : framing === 'json' ? jsonUnits(mark) : lineUnits(mark);
  const more = name === 'send-log' || name === 'connectivity-log' ? rowUnits() : {};
  return { ...units, ...more, ...differentUnits(framing, mark) };
}

/** What is never the same twice. */
function differentUnits(framing, mark) {
  if (framing === 'xml') {
    return {
      'events that all differ': '<Event>%N</Event>',
      'ends that all differ': '%N</Event>',
      'IDs without their event that all differ': '%N<EventID>2002</EventID></Event>',
      'events of latin1 that all differ': '<Event><System>\xe9\xe9%N</System></Event>',
    };
  }
  const objects = {
    'objects that all differ': '{"a":%N}',
    'objects with an ID that all differ': `{${mark},"a":%N}`,
    'half objects that all differ': `{${mark},"%N}`,
    'objects of latin1 that all differ': `{${mark},"a":"\xe9\xe9%N"}`,
  };
  if (framing === 'json') return objects;
  return {
    ...Object.fromEntries(Object.entries(objects).map(([name, unit]) => [name, `${unit}\n`])),
    'lines that all differ': 'x%N\n',
    'syslog headers that all differ': '<14>Jan 15 08:14:02 h a: %N\n',
    'syslog headers with an ID that all differ': `<14>1 2026-01-15T08:14:02Z h a - - - {${mark},"%N\n`,
    'lines of latin1 that all differ': '\xe9\xe9\xe9\xe9%N\n',
  };
}

/** The mark of the format with the ID of the event that is looked for. */
function markOf(mark) {
  if (mark === undefined) return '"event_id":2002';
  return 'after' in mark ? `${mark.after}2002` : `2002${mark.before}`;
}

function xmlUnits() {
  const body = '<System><EventID>2002</EventID></System>';
  return {
    'end marks': '</Event>',
    'begin marks': '<Event>',
    'comments that do not end': '<Event><!--</Event>',
    'CDATA that does not end': '<Event><![CDATA[</Event>',
    'tags that do not end': '<Event><</Event>',
    'empty events': '<Event></Event>',
    'an ID and nothing else': `<Event>${body}</Event>`,
    'an ID in a tag that does not end': `<Event ${body}</Event>`,
    'an ID without its event': '2002</EventID></Event>',
    'many Data': `<Event>${body}<EventData>${'<Data>x</Data>'.repeat(many)}</EventData></Event>`,
    'many references': `<Event>${body}<EventData><Data>${'&#x41;&amp;'.repeat(many)}</Data></EventData></Event>`,
    'references that do not end': `<Event>${body}<EventData><Data>${'&'.repeat(many)}</Data></EventData></Event>`,
    'deep elements': `<Event>${body}${'<a>'.repeat(deep)}</Event>`,
    'many attributes': `<Event ${'a="1" '.repeat(many)}>${body}</Event>`,
    'quotes that do not end': `<Event a="${body}</Event>`,
    blanks: `${' '.repeat(1_000)}</Event>`,
    'line breaks': '\n',
  };
}

function jsonUnits(mark) {
  return {
    'empty objects': '{},',
    'empty objects in a list': '[{}]\n',
    braces: '{',
    'closing braces': '}',
    brackets: '[',
    quotes: '{"',
    'an ID and nothing else': `{${mark}}`,
    'an ID and half a member': `{${mark},"}`,
    'an ID in a text': `{"a":"${mark.replaceAll('"', '\\"')}"}`,
    'an ID and deep lists': `{${mark},"a":${'['.repeat(deep)}${']'.repeat(deep)}}`,
    'an ID and deep objects': `{${mark},"a":${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}}`,
    'an ID and many members': `{${mark}${',"a":1'.repeat(many)}}`,
    'an ID and many escapes': `{${mark},"a":"${'\\u0041\\n'.repeat(many)}"}`,
    'an ID and backslashes': `{${mark},"a":"${'\\\\'.repeat(many)}"}`,
    'line breaks': '\n',
  };
}

function lineUnits(mark) {
  const objects = Object.entries(jsonUnits(mark)).map(([name, unit]) => [`${name}, a line each`, `${unit}\n`]);
  return {
    ...Object.fromEntries(objects),
    'empty lines': '\n',
    'lines of CR LF': '\r\n',
    'lines of a blank': ' \n',
    'lines of one byte': 'x\n',
    'lines of a quote': '"\n',
    'lines of a NUL': '\0\n',
    'lines of a bracket': '[\n',
    'lines of null': 'null\n',
    'the ID alone': `${mark}\n`,
    'the ID behind a syslog header': `<14>1 2026-01-15T08:14:02Z h a - - - {${mark}\n`,
    'syslog headers': '<14>1 2026-01-15T08:14:02Z h a - - - x\n',
    'syslog headers of before': '<14>Jan 15 08:14:02 h a: x\n',
    'structured data that does not end': `<14>1 - - - - - [a ${'b="" '.repeat(many)}\n`,
    'brackets of structured data': `<14>1 - - - - - ${'[a]'.repeat(many)} {${mark}\n`,
    tabs: '\t\t\t\t\t\t\n',
    'events of XML in a text': `{"a":"<Event><EventID>2002</EventID></Event>",${mark}}\n`,
    'half events of XML in a text': `{"Event":"<Event><!--","a":"2002</EventID>",${mark}}\n`,
  };
}

/** Rows of the transport logs, as near to a row that counts as can be. */
function rowUnits() {
  const time = '2026-01-15T08:14:02.137Z';
  return {
    'rows of commas': `${time},,,,,,,,\n`,
    'rows of quotes': `${time},"",x,"","","","","",""\n`,
    'rows of quotes in quotes': `${time},C,08DE53F5B1E2A001,2,,1.2.3.4:25,*,${'""'.repeat(many)},\n`,
    'half quotes': `${time},C,08DE53F5B1E2A001,0,,1.2.3.4:25,*,"attempting to connect\n`,
    'many cells': `${time}${',x'.repeat(many)}\n`,
    attempts: `${time},C,08DE53F5B1E2A001,0,,1.2.3.4:25,*,,attempting to connect\n`,
    'connections of the other log': `${time},08DE53F5B1E2A001,SMTP,x,>,Failed connection to 1.2.3.4:25\n`,
    headers:
      '#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\n',
    'headers of one field': '#Fields: x\n',
  };
}
