/** The honest logs that inputs are made of: files of every format, cut into head, records and tail. */
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { writerModule } from '../evtx-writer.mjs';

const fixtures = fileURLToPath(new URL('../../test/fixtures', import.meta.url));
/** Longer samples are left out: an input should be small enough to be looked at. */
const mostBytes = 2_000_000;
/** So that what is read is shown: series that have been silent for a month are not. */
const dayOfSamples = /2026-01-15/g;

/**
 * @param folder for the writer of binary logs, compiled
 * @param samples further folders or files, from the environment variable SAMPLES, with `:` between them
 */
export async function loadCorpus(folder, samples = process.env.SAMPLES?.split(':').filter(Boolean) ?? []) {
  const corpus = { carriers: [], inventories: [], configs: [], writer: await writerModule(folder) };
  for (const place of [fixtures, ...samples]) {
    for (const file of await filesBelow(place)) await take(corpus, file);
  }
  return corpus;
}

async function filesBelow(place) {
  if (!(await stat(place)).isDirectory()) return [place];
  const names = (await readdir(place, { recursive: true })).sort();
  const files = await Promise.all(
    names.map(async (name) => {
      const { isFile, size } = await stat(path.join(place, name)).then((stats) => ({
        isFile: stats.isFile(),
        size: stats.size,
      }));
      return isFile && size > 0 && size < mostBytes ? [path.join(place, name)] : [];
    }),
  );
  return files.flat();
}

async function take(corpus, file) {
  const bytes = await readFile(file);
  const text = textOf(bytes).replace(dayOfSamples, new Date().toISOString().slice(0, 10));
  const name = path.basename(file);
  if (/\.ya?ml$/.test(name)) corpus.configs.push({ name, text });
  else if (/sendconnector|inventory|\.inv\.json$/i.test(name)) corpus.inventories.push({ name, text });
  else if (!/\.csv$/.test(name)) corpus.carriers.push(carrierOf(name, text));
}

function textOf(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString('utf16le');
  return bytes.toString('utf8');
}

/** `between` stands between two records, `head` before the first and `tail` behind the last. */
function carrierOf(name, text) {
  const body = text.replace(/^\ufeff/, '').trim();
  if (body.startsWith('#')) return rowsWithHeader(name, body);
  if (/^(?:<\?xml|<Events?[\s>])/.test(body)) return xmlCarrier(name, body);
  if (name.endsWith('.json') && isJson(body)) return jsonDocument(name, JSON.parse(body));
  const kind = body.includes('{') ? 'json' : body.includes('<Event') ? 'xml' : 'rows';
  return { name, kind, framing: 'lines', head: '', records: linesOf(body), between: '\n', tail: '\n' };
}

function linesOf(text) {
  return text.split(/\r?\n/).filter((line) => line !== '');
}

function rowsWithHeader(name, body) {
  const lines = linesOf(body);
  const head = lines.filter((line) => line.startsWith('#')).join('\r\n');
  const records = lines.filter((line) => !line.startsWith('#'));
  return { name, kind: 'rows', framing: 'lines', head: `\ufeff${head}\r\n`, records, between: '\r\n', tail: '\r\n' };
}

function xmlCarrier(name, body) {
  const start = body.search(/<Event[\s>]/);
  const pieces = body.slice(start).split('</Event>');
  const tail = pieces.pop();
  const records = pieces.map((piece) => `${piece.trim()}</Event>`);
  return { name, kind: 'xml', framing: 'xml', head: body.slice(0, start), records, between: '\n', tail };
}

function jsonDocument(name, value) {
  const records = (Array.isArray(value) ? value : [value]).map((each) => JSON.stringify(each, undefined, 2));
  return { name, kind: 'json', framing: 'json', head: '[\n', records, between: ',\n', tail: '\n]\n' };
}

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
