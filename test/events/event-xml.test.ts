import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventDataOf, eventOfXml } from '../../src/events/decode/event-xml.js';
import { UnreadableRecord } from '../../src/events/decode/unreadable.js';

const system = `<System><Provider Name='MSExchangeTransport'/><EventID Qualifiers='32772'>2002</EventID><TimeCreated SystemTime='2026-01-15T08:14:02.1Z'/><EventRecordID>7</EventRecordID><Channel>Application</Channel><Computer>EXCH01</Computer></System>`;
const data = '<EventData><Data>A</Data><Data>203.0.113.25:25</Data></EventData>';
const whole = `<Event xmlns='urn:x'>${system}${data}</Event>`;

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c]!);
const valuesIn = (inner: string): readonly unknown[] =>
  eventOfXml(`<Event>${system}<EventData>${inner}</EventData></Event>`).values;

describe('values', () => {
  test.each([
    ['<Data>A &lt;b&gt; &amp;amp; &quot;c&quot; &apos;d&apos;</Data>', ['A <b> &amp; "c" \'d\'']],
    ['<Data>&#13;&#10;&#x1F600;&#xD83D;&#xDE00;</Data>', ['\r\n😀😀']],
    ['<Data>&nosuch; &#1114112; &#xFFFFFFF; & &;</Data>', ['&nosuch; &#1114112; &#xFFFFFFF; & &;']],
    ['<Data><![CDATA[<Data>&amp;</Data>]]> and more</Data>', ['<Data>&amp;</Data> and more']],
    ['<Data>be<!-- <Data> -->fore</Data>', ['before']],
    ["<Data Name='a>b'>x</Data><Data Name=\"c'd\">y</Data>", ['x', 'y']],
    ['<Data/><Data></Data><Data />', ['', '', '']],
    ['<Data>in <b>bold</b> text</Data><Binary>00FF</Binary><Data>last</Data>', ['in bold text', 'last']],
    ['<Data>\u0001\u0000\u000b</Data>', ['\u0001\u0000\u000b']],
    ['', []],
  ])('%j', (inner, values) => {
    expect(valuesIn(inner)).toEqual(values);
    expect(eventDataOf(inner)).toEqual(values);
  });

  test('come back as they were escaped, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (strings) => {
        expect(valuesIn(strings.map((text) => `<Data>${escaped(text)}</Data>`).join('\r\n  '))).toEqual(strings);
        expect(valuesIn(strings.map((text) => `<Data Name="x">${escaped(text)}</Data>`).join(''))).toEqual(strings);
      }),
    );
  });
});

test('double quotes, blanks around attributes, and elements in any order make no difference', () => {
  const other = `<Event
    xmlns = "urn:x" >
    ${data}
    <System ><Computer> EXCH01 </Computer><Channel>Application</Channel><EventRecordID>7</EventRecordID>
    <TimeCreated\tSystemTime = "2026-01-15T08:14:02.100000000Z" /><EventID>2002</EventID>
    <Provider Guid="{0}"  EventSourceName = "other" Name="MSExchangeTransport" ></Provider></System ></Event >`;
  expect(eventOfXml(other)).toEqual(eventOfXml(whole));
});

test('what stands before and behind does not matter', () => {
  for (const before of [
    '\uFEFF<?xml version="1.0"?><Events>',
    '<12>Jan 15 08:14:02 EXCH01 ',
    '01/15/2026 LogName=Application\n',
    '\r\n- ',
  ]) {
    expect(eventOfXml(`${before}${whole}</Events>\n`)).toEqual(eventOfXml(whole));
  }
});

test('of a torn event and a whole one the whole one is read', () => {
  const torn = whole.replaceAll('>A<', '>TORN<').replace('EXCH01', 'TORN');
  for (let cut = 0; cut < torn.length; cut++) {
    let event;
    try {
      event = eventOfXml(torn.slice(0, cut) + whole);
    } catch (error) {
      // The cut may have swallowed the beginning of the whole one, into an attribute for instance.
      expect(error).toBeInstanceOf(UnreadableRecord);
      continue;
    }
    expect(event, `cut at ${cut}`).toEqual(eventOfXml(whole));
  }
});

test('an event without its end is unreadable, wherever it ends', () => {
  for (let cut = 0; cut < whole.length - 1; cut++) {
    expect(() => eventOfXml(whole.slice(0, cut)), `cut at ${cut}`).toThrow(UnreadableRecord);
  }
});

test.each([
  ['no ID', whole.replace(/<EventID.*<\/EventID>/, '')],
  ['an ID that is no number', whole.replace('>2002<', '>two<')],
  ['no provider', whole.replace(/<Provider[^>]*>/, '')],
  [
    'an ID outside of System',
    whole.replace(/<EventID.*<\/EventID>/, '').replace('<EventData>', '<EventData><EventID>2002</EventID>'),
  ],
])('%s: wrong shape', (_, xml) => {
  expect(() => eventOfXml(xml)).toThrow(expect.objectContaining({ reason: 'wrong_shape' }) as Error);
});

test('a full 32-bit identifier is cut to the event ID', () => {
  expect(eventOfXml(whole.replace('>2002<', '>2147747794<')).eventId).toBe(2002);
});

test('an old provider is known by its event source name', () => {
  expect(
    eventOfXml(whole.replace("Name='MSExchangeTransport'", "EventSourceName='MSExchangeTransport'")).provider,
  ).toBe('MSExchangeTransport');
});

test('names in user data and in the rendering are not taken for those of the event', () => {
  const rendering =
    "<RenderingInfo Culture='de-DE'><Message>Satz&#13;&#10;</Message><Level>Warnung</Level><Provider>Anbieter</Provider><Channel>Anwendung</Channel></RenderingInfo>";
  const user =
    '<UserData><x><System><EventID>5</EventID></System><Computer>no</Computer><Data>no</Data></x></UserData>';
  const event = eventOfXml(`<Event>${system}${data}${user}${rendering}</Event>`);
  expect(event).toEqual({ ...eventOfXml(whole), message: 'Satz\r\n' });
});
