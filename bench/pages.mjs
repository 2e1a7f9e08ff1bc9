/** How long the server takes for its pages with 2,000 destinations, each with an error within the last hour: milliseconds over HTTP. */
import { quantile, startWithRows, table } from './exporter.mjs';

const destinations = 2_000;
const rounds = 30;
const pages = { status: '/', 'status, all rows': '/?page=all', 'status, searched': '/?q=10.0.3', events: '/events' };

export async function run() {
  const { exporter, end } = await startWithRows(Array.from({ length: destinations }, (_, index) => rowOf(index)));
  try {
    const lines = [['page', 'first ms', 'median ms', 'p95 ms', 'bytes']];
    for (const [name, address] of Object.entries(pages)) lines.push([name, ...(await measure(exporter.url + address))]);
    table(lines);
  } finally {
    await end();
  }
}

async function measure(url) {
  const times = [];
  let text = '';
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    const response = await fetch(url);
    text = await response.text();
    times.push(performance.now() - begun);
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
  }
  const [first] = times;
  return [...[first, quantile(times, 0.5), quantile(times, 0.95)].map((ms) => ms.toFixed(0)), Buffer.byteLength(text)];
}

function rowOf(index) {
  const at = Date.now() - index * 1_000;
  return {
    server: `exch${index % 10}.contoso.local`,
    connector: `Outbound ${Math.floor(index / 10)}`,
    destination: `10.0.${index >> 8}.${index & 255}:25`,
    errors: index + 1,
    lastErrorAt: at,
    lastObservedAt: at,
  };
}
