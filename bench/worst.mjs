/**
 * `npm run bench -- worst [MB]`: what garbage costs that is cheap to write. Every text format reads inputs that repeat one
 * unit, in UTF-8 and in UTF-16, and the binary log reads damaged copies of itself; each as many megabytes as are asked
 * for, or as much as five seconds take. Prints the slowest inputs of each format in MB per CPU second; exit code 1 when one
 * is below ten.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { table } from './exporter.mjs';
import { damagedLogs } from './worst/evtx.mjs';
import { unitsOf } from './worst/units.mjs';

const leastMegabytes = 10;
const mostMs = 5_000;
const shownOfFormat = 3;
const heads = ['format', 'input', 'MB', 'CPU s', 'MB/s', 'records'];
/** What a slow start or a busy machine does to a short run, it does not do to another one. */
const tries = 3;

export async function run(megabytes = 1) {
  const { formats } = await import('../dist/events/formats/formats.js');
  const folder = await mkdtemp(path.join(os.tmpdir(), 'worst-bench-'));
  try {
    for (const format of formats) table([heads, ...(await slowest(format, megabytes, folder))]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns the rows of the slowest inputs, and of all that miss the aim */
async function slowest(format, megabytes, folder) {
  const inputs = format.kind === 'text' ? textInputs(format, megabytes) : await damagedLogs(folder, megabytes);
  const results = [];
  for (const { name, bytes, encoding } of inputs) {
    let best = await measure(format, bytes(), encoding);
    for (let again = 1; again < tries && best.rate < leastMegabytes * 1.5; again++) {
      const next = await measure(format, bytes(), encoding);
      if (next.rate > best.rate) best = next;
    }
    results.push({ name, ...best });
  }
  results.sort((a, b) => a.rate - b.rate);
  const shown = results.filter(({ rate }, index) => index < shownOfFormat || rate < leastMegabytes);
  if (shown.some(({ rate }) => rate < leastMegabytes)) process.exitCode = 1;
  return shown.map(({ name, megabytes: read, cpu, rate, records }) => [
    format.name,
    name,
    read.toFixed(1),
    cpu.toFixed(2),
    `${rate.toFixed(0)}${rate < leastMegabytes ? ' !' : ''}`,
    records,
  ]);
}

function textInputs(format, megabytes) {
  return Object.entries(unitsOf(format)).flatMap(([name, unit]) => [
    { name, encoding: 'utf-8', bytes: () => repeated(unit, name.includes('latin1') ? 'latin1' : 'utf8', megabytes) },
    { name: `${name}, UTF-16`, encoding: 'utf-16le', bytes: () => repeated(unit, 'utf16le', megabytes) },
  ]);
}

/** The unit again and again, numbered where it has a `%N` for that. */
function repeated(text, encoding, megabytes) {
  const unit = Buffer.from(text, encoding);
  const times = Math.ceil((megabytes * 1e6) / unit.length);
  if (!text.includes('%N')) return Buffer.alloc(times * unit.length, unit);
  return Buffer.from(Array.from({ length: times }, (_, n) => text.replace('%N', 1_000 + n)).join(''), encoding);
}

/** Reads from memory: the disk is not what is measured. */
async function measure(format, bytes, encoding) {
  const file = {
    read: (buffer, offset, length, position) =>
      Promise.resolve({ bytesRead: bytes.copy(buffer, offset, position, Math.min(bytes.length, position + length)) }),
    stat: () => Promise.resolve({ size: bytes.length }),
  };
  const pass = await passOver(file, format, encoding);
  const begun = performance.now();
  const cpu = process.cpuUsage();
  let [position, more, records] = [{ offset: 0 }, true, 0];
  while (more && performance.now() - begun < mostMs) {
    const result = await pass(position);
    ({ position, more } = result);
    records += result.decoded.length + result.ignored + Object.values(result.unreadable).reduce((a, b) => a + b, 0);
  }
  const used = process.cpuUsage(cpu);
  const seconds = Math.max(0.001, (used.user + used.system) / 1e6);
  const read = (more ? position.offset : bytes.length) / 1e6;
  return { megabytes: read, cpu: seconds, rate: read / seconds, records };
}

async function passOver(file, format, encoding) {
  const wanted = (id) => id === 2002;
  if (format.kind === 'binary') return (position) => format.pass(file, position, wanted);
  const { createReader, fingerprintOf } = await import('../dist/events/read/pass.js');
  const reader = createReader();
  let tail = fingerprintOf(Buffer.alloc(0));
  return async (position) => {
    const result = await reader(file, position, { format, encoding, tail, wanted });
    ({ tail } = result);
    return result;
  };
}
