/** The n-th input of a seed: a log of some format with spoilt records, and behind them an honest one that must be read. */
import { encodings, mutateBytes } from './bytes.mjs';
import { cleanLog, mutateLog } from './evtx.mjs';
import { mutateJson } from './json.mjs';
import { oddText, pumped, spoilt } from './odd-values.mjs';
import { createRandom, seedOf } from './random.mjs';
import { mutateRow } from './rows.mjs';
import { mutateXml } from './xml.mjs';

/**
 * @typedef {object} Input
 * @property {string} name of the carrier, and what was done to it
 * @property {Buffer} bytes
 * @property {Buffer | undefined} honest a log with only the last record: what it gives, the input must give last
 * @property {Buffer | undefined} cleanLog the binary log that was mutated; its last chunk is still as it was
 */

/** @returns {Input} */
export function inputOf(corpus, seed, n) {
  const random = createRandom(seedOf(seed, n));
  if (random.chance(0.08)) return binaryInput(random, corpus);
  const carrier = random.pick(corpus.carriers);
  const records = Array.from({ length: 1 + random.int(6) }, () => random.pick(carrier.records));
  const isFirstSpoilt = random.chance(0.15);
  const texts = records.map((record, index) =>
    index === 0 && !isFirstSpoilt ? record : mutateRecord(random, corpus, carrier, record),
  );
  if (random.chance(0.1)) texts.splice(random.int(texts.length + 1), 0, otherRecord(random, corpus));
  return assembled(random, corpus, carrier, texts);
}

function assembled(random, corpus, carrier, texts) {
  const encoding = random.chance(0.6) ? 'utf-8' : random.pick(Object.keys(encodings));
  const last = random.pick(carrier.records);
  const head = random.chance(0.05) ? spoilt(random, carrier.head) : carrier.head;
  const text = head + texts.join(carrier.between) + honestEnd(carrier, last);
  const encode = encodings[encoding];
  const bytes = encode(text);
  const name = `${carrier.name}, ${encoding}`;
  if (random.chance(0.12))
    return { name: `${name}, bytes`, bytes: mutateBytes(random, bytes, donorBytes(random, corpus)) };
  // In a document one open quote swallows all that follows; in lines and in elements it must not.
  const isTold = carrier.framing !== 'json' && head === carrier.head;
  const honest = isTold ? encode(carrier.head + last + carrier.between + carrier.tail) : undefined;
  return { name, bytes, honest };
}

/** Two of them after an end of whatever was open before: the first may still belong to it. */
function honestEnd({ framing, between, tail }, last) {
  if (framing === 'xml') return `</Event>${between}${last}${between}${last}${between}${tail}`;
  return `${between}${last}${framing === 'lines' ? between : ''}${tail}`;
}

/** Longer records cost time and tell nothing new; some are longer than the exporter reads any. */
function mutateRecord(random, corpus, carrier, record) {
  const most = random.chance(0.03) ? 2_500_000 : 200_000;
  return mutated(random, corpus, carrier, record).slice(0, most);
}

function mutated(random, corpus, { kind }, record) {
  if (random.chance(0.1)) return spoilt(random, record);
  if (random.chance(0.05)) return record.slice(0, random.int(record.length));
  return mutateOf(kind)(random, corpus, record);
}

function mutateOf(kind) {
  if (kind === 'json') return mutateJsonRecord;
  if (kind === 'xml') return (random, corpus, record) => mutateXml(random, record, donorText(random, corpus, 'xml'));
  return (random, corpus, record) => mutateRow(random, record, donorText(random, corpus, 'rows'));
}

function mutateJsonRecord(random, corpus, record) {
  return mutateJson(random, record, donorText(random, corpus, 'json'), (inner) =>
    inner.trimStart().startsWith('<')
      ? mutateXml(random, inner, donorText(random, corpus, 'xml'))
      : mutateJson(random, inner, record, (text) => spoilt(random, text)),
  );
}

function donorText(random, { carriers }, kind) {
  return random.pick(random.pick(carriers.filter((carrier) => carrier.kind === kind)).records);
}

function donorBytes(random, corpus) {
  return Buffer.from(random.pick(random.pick(corpus.carriers).records));
}

function otherRecord(random, corpus) {
  return random.pick(random.pick(corpus.carriers).records);
}

function binaryInput(random, corpus) {
  const clean = random.pick((corpus.cleanLogs ??= cleanLogs(corpus.writer)));
  if (random.chance(0.2)) return { name: 'evtx, bytes', bytes: mutateBytes(random, clean, clean) };
  return { name: 'evtx', bytes: mutateLog(random, clean), cleanLog: clean };
}

/** Made once: they take longer to write than to read. */
function cleanLogs(writer) {
  return Array.from({ length: 12 }, (_, n) => cleanLog(createRandom(n), writer));
}

/** A Get-SendConnector export with spoilt parts, or bytes that are none. */
export function inventoryOf(corpus, seed, n) {
  const random = createRandom(seedOf(seed, n));
  const { name, text } = random.pick(corpus.inventories);
  const body = text.replace(/^\ufeff/, '').trim();
  const isList = body.startsWith('[');
  const whole = isList ? `{"all":${body}}` : body;
  const changed = mutateJson(random, whole, donorText(random, corpus, 'json'), (inner) => spoilt(random, inner));
  const encode = encodings[random.pick(Object.keys(encodings))];
  const bytes = encode(isList ? changed.replace(/^\{"all":/, '').replace(/\}$/, '') : changed);
  return { name, bytes: random.chance(0.1) ? mutateBytes(random, bytes, bytes) : bytes };
}

/** A configuration with spoilt lines. */
export function configOf(corpus, seed, n) {
  const random = createRandom(seedOf(seed, n));
  const { name, text } = random.pick(corpus.configs);
  let lines = text.split('\n');
  for (let rounds = random.size(5); rounds > 0; rounds--) {
    const at = random.int(lines.length);
    const indent = /^\s*/.exec(lines[at] ?? '')[0];
    const changes = [
      () => lines.toSpliced(at, 1),
      () => lines.toSpliced(at, 0, ...Array.from({ length: random.size(2_000) }, (_, n) => `${indent}key${n}: ${n}`)),
      () => lines.with(at, spoilt(random, lines[at] ?? '', 20_000)),
      () => lines.with(at, `${indent}${oddText(random)}: ${oddText(random)}`),
      () => lines.with(at, `${indent}- `.repeat(random.size(500))),
      () => lines.with(at, '['.repeat(random.size(20_000))),
      () => [...lines, `a: &a [x]`, `b: &b [${'*a,'.repeat(20)}]`, `c: [${'*b,'.repeat(20)}]`],
      () => lines.with(at, `${indent}x: "${pumped(random, 20_000)}"`),
    ];
    lines = random.pick(changes)();
    // Without a line there is nothing left to spoil.
    if (lines.length === 0) lines = [''];
  }
  return { name, bytes: Buffer.from(lines.join('\n')) };
}
