/** Reads an input from memory through the built reader, the classifier and the join of sessions, as the exporter does. */
import { TextDecoder } from 'node:util';
import { classify, isWanted } from '../../dist/events/classify.js';
import { formats } from '../../dist/events/formats/formats.js';
import { createReader, fingerprintOf } from '../../dist/events/read/pass.js';
import { createSessions } from '../../dist/events/transport/sessions.js';
import { encodingOf } from '../../dist/events/read/text.js';
import { measured } from './cpu-wait.mjs';

const headBytes = 65_536;
const looksAtDamage = 16;
const origin = { server: 'fuzz', history: false };
/** As an inventory may have them; messages in languages that are not read are searched for all of them. */
const knownConnectors = Array.from({ length: 1_000 }, (_, n) => `Outbound to partner ${n}`);
const sessionsOptions = {
  saved: [],
  connectorOfGuid: () => undefined,
  unknownCode: () => undefined,
  now: Date.now,
  limit: 500,
};

const reader = createReader();

/**
 * @param steps sizes at which a growing file is looked at; the last one is all
 * @returns what was decoded, how many records were unreadable, the longest hold
 */
export async function readAll(bytes, steps = [bytes.length]) {
  const format = formatOf(bytes);
  const told = { format: format?.name, decoded: [], unreadable: 0, longestMs: 0, passes: 0, stuck: false };
  if (!format) return told;
  const { encoding, markLength } = encodingOf(bytes);
  const start = format.kind === 'text' ? markLength : 0;
  const place = { position: { offset: start }, tail: fingerprintOf(bytes.subarray(0, start)), format, encoding };
  const sessions = createSessions(sessionsOptions);
  for (const size of steps) await readTo(bytes.subarray(0, size), place, told, sessions);
  // What may still be written to is looked at again before it is taken as it is.
  for (let look = 0; look < looksAtDamage; look++) await readTo(bytes, place, told, sessions);
  return told;
}

function formatOf(bytes) {
  const head = bytes.subarray(0, headBytes);
  const text = new TextDecoder(encodingOf(head).encoding).decode(head).trimStart();
  return formats.find((each) => each.recognises(each.kind === 'binary' ? head : text));
}

async function readTo(bytes, place, told, sessions) {
  const mostPasses = told.passes + 1_000 + bytes.length / 100;
  for (let more = true; more; told.passes++) {
    told.stuck ||= told.passes > mostPasses;
    if (told.stuck) return;
    const { ms, result } = await measured(async () => {
      const pass = await onePass(handleOf(bytes), place);
      judge(pass.decoded, sessions);
      return pass;
    });
    told.longestMs = Math.max(told.longestMs, ms);
    place.position = result.position;
    place.tail = result.tail;
    more = result.more;
    told.decoded.push(...result.decoded);
    for (const count of Object.values(result.unreadable)) told.unreadable += count;
  }
}

async function onePass(handle, { format, position, tail, encoding }) {
  if (format.kind === 'binary') return format.pass(handle, position, isWanted);
  const pass = await reader(handle, position, { format, encoding, tail, wanted: isWanted });
  if (pass === 'replaced') throw new Error('the reader takes its own file for another one');
  return pass;
}

/** What the exporter asks of a file. */
function handleOf(bytes) {
  return {
    stat: () => Promise.resolve({ size: bytes.length }),
    read: (buffer, offset, length, position) => {
      const bytesRead = bytes.copy(buffer, offset, Math.min(position, bytes.length), position + length);
      return Promise.resolve({ buffer, bytesRead });
    },
  };
}

function judge(decoded, sessions) {
  const found = [];
  for (const record of decoded) {
    if (record.kind === 'event') classify(record, { server: 'fuzz', knownConnectors: () => knownConnectors });
    else sessions.read(record, origin, found);
  }
}
