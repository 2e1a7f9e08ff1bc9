/** Events 2002 as Winlogbeat writes them, for proofs that count a few. */

/** @returns lines of records with the numbers from `first` on */
export function eventLines(first, count) {
  return Array.from({ length: count }, (_, index) => eventLine(first + index)).join('');
}

function eventLine(recordId) {
  const event_data = { param1: 'Outbound', param2: '203.0.113.25:25' };
  const of = {
    channel: 'Application',
    provider_name: 'MSExchangeTransport',
    event_id: '2002',
    computer_name: 'exch01',
  };
  return `${JSON.stringify({ '@timestamp': new Date().toISOString(), winlog: { ...of, record_id: recordId, event_data } })}\n`;
}
