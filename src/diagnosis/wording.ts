/** Phrases of the sentences of a diagnosis. */
import type { LedgerRow } from '../model/batch.js';
import type { PathReport, PingReport } from '../model/probes.js';
import type { Count } from './surroundings.js';

export function pingWords(ping: PingReport | undefined): string {
  if (ping?.state !== 'done' || ping.sent === 0) return '';
  if (ping.received === ping.sent) return 'ping answers';
  if (ping.received === 0) return 'ping does not answer either';
  return `ping loses ${Math.round((1 - ping.received / ping.sent) * 100)} % of its packets`;
}

export function pathWords(path: PathReport | undefined): string {
  if (path?.state !== 'done' || path.reached) return '';
  const last = path.hops.filter((hop) => hop.address !== undefined).at(-1);
  return last?.address === undefined ? '' : `the path is seen up to hop ${last.hop} (${last.address})`;
}

export function cannotReach({ connector, destination, server }: LedgerRow): string {
  return `${nameOf(connector)} cannot reach ${whomOf(destination)} from ${server}`;
}

export function whomOf(destination: string): string {
  return destination === 'other' ? 'some destinations' : destination;
}

export function nameOf(connector: string): string {
  return connector === 'unknown' ? 'An unnamed Send connector' : connector;
}

export function answers({ asked, passing }: Count): string {
  if (asked === 0) return 'nothing is probed';
  if (asked === 1) return passing === 1 ? 'the 1 other destination answers' : 'the 1 other destination fails too';
  return `${passing} of ${asked} other destinations answer`;
}

/** `08:14 UTC`, with the date before it when that is another day. */
export function clock(at: number, now: number): string {
  const text = isoMinute(at);
  const day = text.slice(0, 10);
  return isoMinute(now).startsWith(day) ? `${text.slice(11)} UTC` : `${day} ${text.slice(11)} UTC`;
}

function isoMinute(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? 'unknown    time' : date.toISOString().slice(0, 16);
}

export function shortened(text: string): string {
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

export function withStop(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
