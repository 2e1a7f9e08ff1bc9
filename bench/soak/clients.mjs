/** Those who ask the exporter all the time: scrapers that remember what they saw, and people who read its pages. */
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { fallenCounters, parseExposition } from '../exposition.mjs';
import { pairOf } from './writers.mjs';

const errors = /^exchange_send_connector_connection_errors_total\{server="(.*)",connector="(.*)",destination="(.*)"\}$/;

/**
 * Scrapers that share what they saw: a page is never lower than one that ended before it was asked for.
 * @param tell called with a sentence about what is wrong
 */
export function createScrapers(url, tell) {
  /** Pages that ended, with the time; the last of each is enough. */
  const ended = [];
  const times = [];
  const scrape = async (agent, address) => {
    const begun = performance.now();
    const before = ended.filter(({ at }) => at <= begun).at(-1);
    const page = parseExposition(
      await read(`${url}/metrics`, { agent, localAddress: address, headers: { 'Accept-Encoding': 'identity' } }),
    );
    times.push(performance.now() - begun);
    const wrong = [...page.mistakes, ...(before ? fallenCounters(before.page.values, page) : [])];
    wrong.forEach((sentence) => tell(`page: ${sentence}`));
    ended.push({ at: performance.now(), page });
    if (ended.length > 8) ended.shift();
    return page;
  };
  return { scrape, times };
}

/** Repeats a question until stopped. */
export function every(ms, work) {
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      const begun = performance.now();
      await work();
      const rest = ms - (performance.now() - begun);
      for (let left = rest; left > 0 && !stopped; left -= 100) await pause(Math.min(100, left));
    }
  })();
  return async () => {
    stopped = true;
    await running;
  };
}

/** Reads a page to its end. @returns its text; throws when the answer is not 200 */
export function read(url, options = {}) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { timeout: 60_000, ...options }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.once('error', reject);
      response.once('end', () => {
        const text = Buffer.concat(parts).toString();
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${url}: ${response.statusCode} ${text.slice(0, 200)}`));
      });
    });
    request.once('timeout', () => request.destroy(new Error(`${url}: no answer within a minute`)));
    request.once('error', reject);
  });
}

/** Counted errors by pair. */
export function countsOf({ values }) {
  const counts = new Map();
  for (const [series, value] of values) {
    const match = errors.exec(series);
    if (match) counts.set(pairOf({ server: match[1], connector: match[2], destination: match[3] }), value);
  }
  return counts;
}
