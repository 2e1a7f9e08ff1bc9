/** Closed words of the model in the words of a person, and the sentences made of them. */
import type { Origin, Reason, StepName } from '../model.js';
import { recentMs, type Row, type RowState, type Visit } from './view.js';

/** The style puts a symbol before each word by its tone, so that colour is never the only sign. */
export const stateWords: Record<RowState, { readonly word: string; readonly tone: Tone }> = {
  unreachable: { word: 'Unreachable', tone: 'bad' },
  refusing: { word: 'SMTP or TLS fails', tone: 'bad' },
  intermittent: { word: 'Intermittent', tone: 'warn' },
  unprobed_errors: { word: 'Errors, not probed', tone: 'warn' },
  waiting: { word: 'First probe pending', tone: 'quiet' },
  not_probed: { word: 'Not probed', tone: 'quiet' },
  reachable: { word: 'Reachable', tone: 'good' },
};
export type Tone = 'bad' | 'warn' | 'good' | 'quiet';

/** What each step asks. */
export const stepWords: Record<StepName, string> = {
  dns: 'Name resolution',
  tcp: 'TCP connection',
  banner: 'SMTP banner',
  ehlo: 'EHLO',
  starttls: 'STARTTLS',
  tls: 'TLS handshake',
  quit: 'QUIT',
};

export const originWords: Record<Origin, string> = {
  observed: 'seen in an event',
  inventory: 'smart host of the inventory',
  configured: 'named in the configuration',
};

/** A reason as the end of a sentence, and what it makes one suspect first. Suspicions: domain study, by Winsock code. */
export const reasonWords: Record<Reason, { readonly what: string; readonly suspect: string }> = {
  refused: {
    what: 'connection refused',
    suspect:
      'The host answers, but nothing accepts mail on this port: SMTP service stopped, wrong port, or a reject rule.',
  },
  timeout: {
    what: 'no answer in time',
    suspect: 'Packets vanish: a firewall, a provider that blocks the port, a host that is down, or a wrong address.',
  },
  reset: {
    what: 'connection reset',
    suspect: 'Something cut the connection: SMTP inspection, a limit of the remote side, or a service that crashes.',
  },
  host_unreachable: {
    what: 'host unreachable',
    suspect: 'The last router finds no such host: host down, wrong address, or a missing route.',
  },
  network_unreachable: {
    what: 'network unreachable',
    suspect: 'There is no route from here: gateway, VPN, or IPv6 without a route.',
  },
  address_not_available: {
    what: 'address not available',
    suspect: 'The source address does not exist on this host, or the destination is not a usable address.',
  },
  access_denied: {
    what: 'connection forbidden on this host',
    suspect: 'A local firewall or an antivirus rule against mass mailing stops the connection before it leaves.',
  },
  no_buffers: {
    what: 'no free ports or buffers on this host',
    suspect: 'Ports or socket buffers are used up: look for thousands of connections in TIME_WAIT.',
  },
  name_not_found: { what: 'name does not exist', suspect: 'The name is misspelt, was removed, or split DNS hides it.' },
  name_no_address: { what: 'name has no address', suspect: 'The name exists without an A or AAAA record.' },
  name_server_failure: {
    what: 'name server failure',
    suspect: 'The DNS server failed or could not ask the next one; compare its answers with another server.',
  },
  name_timeout: {
    what: 'name server did not answer',
    suspect: 'The DNS server is down, or a firewall drops the question.',
  },
  null_mx: {
    what: 'domain accepts no mail',
    suspect: 'The domain publishes a null MX: it says that it takes no mail.',
  },
  banner_timeout: {
    what: 'connected, but no SMTP banner',
    suspect: 'The server is overloaded, delays strangers on purpose, or a device holds the connection.',
  },
  banner_4xx: {
    what: 'temporary refusal in the SMTP banner',
    suspect: 'The server is too busy or limits this address; its own words are in the transcript.',
  },
  banner_5xx: {
    what: 'refused in the SMTP banner',
    suspect: 'The server does not want mail from this address: block list, missing PTR record, or an access rule.',
  },
  not_smtp: {
    what: 'the answer is not SMTP',
    suspect: 'Another service or an inspecting device answers on this port.',
  },
  ehlo_rejected: {
    what: 'EHLO rejected',
    suspect: 'The server does not accept the name we give: check the Fqdn of the Send connector and its DNS.',
  },
  starttls_not_offered: {
    what: 'STARTTLS not offered',
    suspect: 'The server never had it, or an inspecting device strips it from the answer.',
  },
  starttls_rejected: {
    what: 'STARTTLS rejected',
    suspect: 'The server cannot start TLS now, often for want of a usable certificate.',
  },
  tls_handshake: {
    what: 'TLS handshake failed',
    suspect: 'Both sides share no version or cipher, or a device breaks the handshake.',
  },
  certificate_expired: {
    what: 'certificate expired',
    suspect: 'The certificate of the destination has run out: its owner must renew and bind it.',
  },
  certificate_not_yet_valid: {
    what: 'certificate not yet valid',
    suspect: 'The certificate starts later, or a clock is wrong: compare the clocks first.',
  },
  certificate_name_mismatch: {
    what: 'certificate is for another name',
    suspect: 'The connector expects a name (TlsDomain or smart host) that the certificate does not carry.',
  },
  certificate_untrusted: {
    what: 'certificate not trusted',
    suspect: 'An issuer is unknown here or an intermediate certificate is missing.',
  },
  closed_by_remote: {
    what: 'closed by the remote side',
    suspect: 'The server hung up without a reason: a limit, a block, or an inspecting device.',
  },
  blocked_by_policy: {
    what: 'not probed, by policy',
    suspect: 'This exporter may not connect there: see probe.allow and probe.deny in the configuration.',
  },
  other: { what: 'failed', suspect: 'The words of the system are in the transcript of the visit.' },
};

/** `connection refused`; undefined for a visit that succeeded. */
export function failureOf(visit: Visit): string | undefined {
  return visit.success ? undefined : reasonWords[visit.reason ?? 'other'].what;
}

/** What a row means, in one sentence. */
export function sentenceOf(row: Row, now: number): string {
  const latest = row.entry?.latest;
  switch (row.state) {
    case 'unreachable':
    case 'refusing':
      return reasonWords[latest?.reason ?? 'other'].suspect;
    case 'intermittent':
      return 'The probe passes although Exchange logged an error: it comes and goes, or only that server is affected.';
    case 'unprobed_errors':
      return row.notProbed ?? 'Exchange logged an error; no probe has looked yet.';
    case 'waiting':
      return 'In the queue for its first probe.';
    case 'not_probed':
      return row.notProbed ?? 'This destination is not probed.';
    case 'reachable':
      return reachableSentence(row, now);
  }
}

function reachableSentence(row: Row, now: number): string {
  const warning = row.entry?.latest.warning;
  if (warning) return `Mail can flow, but ${stepWords[warning.step]} failed: ${reasonWords[warning.reason].what}.`;
  const quiet = row.lastErrorAt !== undefined && now - row.lastErrorAt < 24 * recentMs;
  return quiet ? 'Recovered: no error within the last hour and the probe passes.' : 'The probe passes.';
}

/** The state of everything in one sentence, and the latest trouble in a second. */
export type Headline = { readonly tone: Tone; readonly text: string; readonly latest: Row | undefined };

/** @param rows in the order of `rowsOf`: latest error first */
export function headlineOf(rows: readonly Row[]): Headline {
  const total = destinationsIn(rows).size;
  const unreachable = destinationsIn(rows, 'unreachable').size;
  const refusing = destinationsIn(rows, 'refusing').size;
  if (unreachable + refusing > 0) {
    const latest = rows.find((row) => row.state === 'unreachable' || row.state === 'refusing');
    return { tone: 'bad', text: brokenSentence(total, unreachable, refusing), latest };
  }
  const intermittent = destinationsIn(rows, 'intermittent').size;
  const unprobed = destinationsIn(rows, 'unprobed_errors').size;
  if (intermittent + unprobed > 0) {
    const latest = rows.find((row) => row.state === 'intermittent' || row.state === 'unprobed_errors');
    const probed = unprobed === 0 ? ', although their probes pass' : '';
    const had = intermittent + unprobed;
    const whose = had === 1 ? probed.replace('their probes pass', 'its probe passes') : probed;
    return { tone: 'warn', text: `${ofAll(had, total)} had connection errors within the last hour${whose}.`, latest };
  }
  return { ...quietHeadline(rows, total), latest: undefined };
}

function brokenSentence(total: number, unreachable: number, refusing: number): string {
  const refuses = (count: number): string => (count === 1 ? 'fails' : 'fail');
  if (unreachable === 0) return `${ofAll(refusing, total)} ${refuses(refusing)} in SMTP or TLS.`;
  const also = refusing > 0 ? `; ${refusing} more ${refuses(refusing)} in SMTP or TLS` : '';
  return `${ofAll(unreachable, total)} cannot be reached${also}.`;
}

function quietHeadline(rows: readonly Row[], total: number): { tone: Tone; text: string } {
  const reachable = destinationsIn(rows, 'reachable').size;
  if (total === 0) return { tone: 'quiet', text: 'No Send connector errors have been read yet.' };
  if (reachable === 0) {
    const probes = destinationsIn(rows, 'waiting').size > 0 ? 'The first probes are pending.' : 'Nothing is probed.';
    return { tone: 'quiet', text: `No connection errors within the last hour. ${probes}` };
  }
  const all =
    reachable === total
      ? total === 1
        ? 'The only destination'
        : `All ${total} destinations`
      : ofAll(reachable, total);
  return { tone: 'good', text: `${all} can be reached, and no connection errors within the last hour.` };
}

function ofAll(count: number, total: number): string {
  return `${count} of ${total} ${total === 1 ? 'destination' : 'destinations'}`;
}

function destinationsIn(rows: readonly Row[], state?: RowState): Set<string> {
  return new Set(rows.filter((row) => state === undefined || row.state === state).map((row) => row.destination));
}

// ---------------------------------------------------------------------------------------------------------- times

/** `2026-11-23T08:14:05Z`; for a time out of range the text `unknown time`. */
export function isoOf(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? 'unknown time' : date.toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** `08:14:05 UTC`, with the date before it when that is not the day of `now`. */
export function clockOf(at: number, now: number): string {
  const [day = '', clock = ''] = isoOf(at).replace('Z', '').split('T');
  if (clock === '') return day;
  return isoOf(now).startsWith(day) ? `${clock} UTC` : `${day} ${clock} UTC`;
}

/** `4 min ago`; `in 3 d` for a time to come. */
export function ageOf(at: number, now: number): string {
  const seconds = Math.round((now - at) / 1000);
  if (Math.abs(seconds) < 2) return 'just now';
  return seconds < 0 ? `in ${durationOf(-seconds)}` : `${durationOf(seconds)} ago`;
}

/** `45 s`, `4 min`, `3 h`, `12 d`: one unit is enough to decide what to do. */
export function durationOf(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 120 * 60) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/** `0.8 ms`, `84 ms`, `30.0 s`. */
export function tookOf(seconds: number): string {
  const ms = seconds * 1000;
  return ms < 1 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${seconds.toFixed(1)} s`;
}

/** `0 B`, `12 KiB`, `3.4 MiB`. */
export function bytesOf(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit] ?? ''}`;
}
