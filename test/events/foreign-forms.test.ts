/** Forms of other tools that a carrier's format reads as well, each as it was seen. */
import { describe, expect, it, vi } from 'vitest';
import { classify } from '../../src/events/classify.js';
import type { TextFormat } from '../../src/events/formats/format.js';
import { formats } from '../../src/events/formats/formats.js';
import { decodeAll } from './records.js';

const at = Date.parse('2026-11-28T03:00:00Z');

describe('forms of other tools', () => {
  it('4.12: event XML of python-evtx: strings as escaped elements in one Data, times in UTC without a zone', () => {
    const event = (name: string, endpoint: string) =>
      `<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="MSExchangeTransport"></Provider>
<EventID Qualifiers="32772">2002</EventID><TimeCreated SystemTime="2026-11-28 03:00:00"></TimeCreated>
<EventRecordID>1</EventRecordID><Channel>Application</Channel><Computer>EXCH01</Computer></System>
<EventData><Data>&lt;string&gt;${name}&lt;/string&gt;
&lt;string&gt;${endpoint}&lt;/string&gt;
</Data>
<Binary></Binary></EventData></Event>\n`;
    const text = `<?xml version="1.1" encoding="utf-8" standalone="yes" ?>\n<Events>\n${event('B&#252;ro, &lt;S&#252;d&gt;', '[2001:db8::25]:25')}${event('Plain', '203.0.113.25:25')}`;
    const events = decodeAll(text);
    expect(events.map(({ values, time }) => ({ values, time }))).toEqual([
      { values: ['Büro, <Süd>', '[2001:db8::25]:25'], time: at },
      { values: ['Plain', '203.0.113.25:25'], time: at },
    ]);
  });

  it.each([
    [
      'winlog',
      '"winlog":{"channel":"Application","computer_name":"exch01","event_data":{"param1":"Outbound","param2":"203.0.113.25:25"},"event_id":"2002","provider_name":"MSExchangeTransport","record_id":191}',
    ],
    [
      'version 6',
      '"type":"wineventlog","log_name":"Application","computer_name":"exch01","event_data":{"param1":"Outbound","param2":"203.0.113.25:25"},"event_id":2002,"source_name":"MSExchangeTransport","record_number":"191"',
    ],
  ])('4.12: an export of elasticdump: the event stands under _source (%s)', (_name, members) => {
    const line = `{"_index":".ds-winlogbeat-8.11.0","_id":"abc","_score":1,"_source":{"@timestamp":"2026-11-28T03:00:00Z",${members}}}`;
    const [event] = decodeAll(`${line}\n`);
    expect(event).toMatchObject({ eventId: 2002, recordId: 191, time: at, values: ['Outbound', '203.0.113.25:25'] });
    expect(classify(event!, { server: 'x', knownConnectors: () => [] })).toMatchObject({
      kind: 'connection_error',
      server: 'exch01',
      connector: 'Outbound',
      destination: '203.0.113.25:25',
    });
  });

  it('4.12: NXLog behind RFC 5424 structured data that holds braces itself', () => {
    const line =
      '<12>1 2026-11-28T03:00:00Z EXCH01 MSExchangeTransport 1234 - [NXLOG@14506 EventID="2002" ProviderGuid="{A68CA8B7-004F-D7B6-A698-07E2DE0F1F5D}" Channel="Application"] {"EventTime":"2026-11-28T03:00:00+00:00","Hostname":"EXCH01","EventID":2002,"SourceName":"MSExchangeTransport","RecordNumber":191,"Channel":"Application","Message":"Send connector Outbound: an error occurred while connecting to 203.0.113.25:25."}';
    expect(decodeAll(`${line}\n`)).toMatchObject([{ eventId: 2002, recordId: 191, time: at, computer: 'EXCH01' }]);
  });

  it('NXLog Community Edition: a clock without its zone is no time, but tells records of a cleared log apart', () => {
    const line =
      '{"EventTime":"2026-11-28 03:00:00","Hostname":"EXCH01","EventID":2002,"SourceName":"MSExchangeTransport","RecordNumber":191,"Channel":"Application"}';
    const [event] = decodeAll(`${line}\n`);
    expect(event).toMatchObject({ recordId: 191, time: undefined, clockTime: at });
    expect(classify(event!, { server: 'x', knownConnectors: () => [] })).toMatchObject({
      key: { recordId: 191, time: undefined, clockTime: at },
      at: undefined,
    });
  });
});

/** What a decoder makes of the bytes up to `end`, or what it throws. */
function outcomeOf(format: TextFormat, bytes: Buffer, end: number): unknown {
  try {
    return format.decodeBytes?.(bytes, 0, end);
  } catch (error) {
    return String(error);
  }
}

it('1.3: work does not run past the record into the buffer: what stands behind its end is not searched and changes nothing', () => {
  const behind = Buffer.from('-->]]>?>}"{"event_id":2002}</Event>\n');
  for (const format of formats.filter((each): each is TextFormat => each.kind === 'text')) {
    for (const text of [
      'x',
      '<Event><!--</Event>',
      '<Event><![CDATA[</Event>',
      '<Event><?</Event>',
      '{"a":"',
      '{',
      '[[',
    ]) {
      const alone = Buffer.from(text);
      const bytes = Buffer.concat([alone, behind]);
      // These know no end: each call would look through the megabytes of a pass.
      const searches = [vi.spyOn(bytes, 'indexOf'), vi.spyOn(bytes, 'lastIndexOf')];
      expect(outcomeOf(format, bytes, text.length), `${format.name}: ${text}`).toEqual(
        outcomeOf(format, alone, text.length),
      );
      for (const search of searches) expect(search, `${format.name}: ${text}`).not.toHaveBeenCalled();
    }
  }
});
