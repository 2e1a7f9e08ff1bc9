/** Several echoes to one address by the ping of the system; reads its numbers only, whatever language it speaks. */
import { addressOf, withoutMapping, withoutZone } from '../../model/endpoint.js';
import type { PingReport } from '../../model/probes.js';
import { shown } from '../smtp-lines.js';
import { failureOf, findProgram, runProgram, type ReportOptions } from './run-program.js';

/** Echoes of one ping. */
const echoes = 5;

/** Never throws: no program, no permission and no network are states of the report. */
export async function ping(address: string, options: ReportOptions): Promise<PingReport> {
  const { signal, now = Date.now, platform = process.platform, find = findProgram, run = runProgram } = options;
  const report = { at: now(), program: 'ping', sent: 0, received: 0 };
  const target = echoAddressOf(address);
  if (target === undefined) return { ...report, state: 'failed', detail: `${shown(address)} is not an IP address` };
  const file = await find('ping');
  if (file === undefined) {
    return { ...report, program: '', state: 'no_program', detail: 'no program ping on this machine' };
  }
  const ran = await run(file, pingWords(target, platform), {
    limitMs: limitMs(platform),
    signal,
    onText: options.onText,
  });
  const { code, output } = ran;
  const read = platform === 'win32' ? readWindowsPing(output, target, code) : readUnixPing(output, target);
  if (read) return { ...report, state: 'done', ...read };
  return { ...report, ...failureOf(ran) };
}

/** The address as the programs take it: IPv4 carried in IPv6 is IPv4 to them. */
export function echoAddressOf(address: string): string | undefined {
  const known = addressOf(address);
  return known === undefined ? undefined : withoutMapping(known);
}

/** Windows waits a second between echoes and cannot be told otherwise. */
function pingWords(address: string, platform: NodeJS.Platform): string[] {
  if (platform === 'win32') return ['-n', String(echoes), '-w', '2000', address];
  if (platform === 'linux') return ['-n', '-c', String(echoes), '-i', '0.5', '-W', '2', address];
  return ['-n', '-c', String(echoes), address];
}

function limitMs(platform: NodeJS.Platform): number {
  return platform === 'win32' ? 20_000 : 15_000;
}

type Read = Pick<PingReport, 'sent' | 'received' | 'rttSeconds' | 'detail'>;

/**
 * The line with the percentage holds sent and received, in this order in every translation; the line with three or four
 * numbers between slashes holds the round trips. Both decimal points and decimal commas are written.
 */
export function readUnixPing(output: string, target: string): Read | undefined {
  const lines = output.split(/\r?\n/);
  const summary = lines.find(isSummary);
  const [sent = 0, received = 0] = numbersOf(summary ?? '');
  if (summary === undefined) return undefined;
  const times = lines
    .slice(lines.indexOf(summary))
    .map((line) => /=\s*([\d.,]+)\/([\d.,]+)\/([\d.,]+)(?:\/[\d.,]+)?\s/.exec(line))
    .find((match) => match !== null);
  const [min = 0, average = 0, max = 0] = (times?.slice(1, 4) ?? []).map(secondsOf);
  return {
    sent,
    received,
    ...(times && received > 0 && { rttSeconds: { min, average, max } }),
    ...otherAnswer(
      lines.filter((line) => line.includes('icmp_seq') && !/ttl=/i.test(line)),
      target,
    ),
  };
}

/** Two counts and their own percentage of loss, rounded or not. */
function isSummary(line: string): boolean {
  const percent = /(?<!\d)(\d+(?:\.\d+)?)\s*%|%\s*(\d+(?:\.\d+)?)/.exec(line);
  const [sent = 0, received = 0] = numbersOf(line);
  if (!percent || sent === 0 || received > sent) return false;
  return Math.abs(Number(percent[1] ?? percent[2]) - (100 * (sent - received)) / sent) <= 1;
}

function numbersOf(line: string): readonly number[] {
  return (line.match(/\d+/g) ?? []).map(Number);
}

/**
 * The summary of Windows counts a router's "unreachable" as an answer, so the answers are counted line by line: the
 * address of the destination and a time. IPv4 lines hold bytes, time and TTL, IPv6 lines the time alone.
 */
export function readWindowsPing(output: string, target: string, code: number | undefined): Read | undefined {
  if (code === undefined) return undefined;
  const lines = output.split(/\r?\n/);
  // The summary is the only thing that has a percentage; without it ping did not get to the end.
  if (!/\d\s*%|%\s*\d/.test(output)) return undefined;
  const times = lines.flatMap((line) => {
    const values = [...line.matchAll(/[=<]\s?(\d+)/g)].map((match) => Number(match[1]));
    const time = values.length >= 3 ? values[1] : values[0];
    return names(line, target) && time !== undefined ? [time] : [];
  });
  const received = Math.min(times.length, echoes);
  const sum = times.reduce((total, time) => total + time, 0);
  return {
    sent: echoes,
    received,
    ...(received > 0 && {
      rttSeconds: {
        min: Math.min(...times) / 1000,
        average: sum / times.length / 1000,
        max: Math.max(...times) / 1000,
      },
    }),
    ...otherAnswer(
      lines.filter((line) => !/[=<]\s?\d/.test(line)),
      target,
    ),
  };
}

/** Somebody else answered: the router that knows no way further, or this host itself. */
function otherAnswer(lines: readonly string[], target: string): Pick<PingReport, 'detail'> {
  const other = lines
    .flatMap((line) => line.split(/[\s,()]+/).map((word) => addressOf(word.replace(/[:.]$/, ''))))
    .find((address) => address !== undefined && withoutZone(address) !== withoutZone(target));
  return other === undefined ? {} : { detail: `${other} answered in place of the destination: it has no way there` };
}

function names(line: string, target: string): boolean {
  const bare = withoutZone(target);
  return line.split(/[\s,()]+/).some((word) => withoutZone(addressOf(word.replace(/:$/, '')) ?? '') === bare);
}

function secondsOf(milliseconds: string): number {
  return Number(milliseconds.replace(',', '.')) / 1000;
}
