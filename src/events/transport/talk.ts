/** Follows what a Send connector and a remote server say after the connect, up to the first mail: does it fail, and why. */
import type { Reason } from '../../model/words.js';
import type { SendRow } from '../../model/records.js';
import type { Talk } from '../../model/sessions.js';
import { reasonOfSocketError } from './connect-reasons.js';
import { meaningOf } from './notes.js';
import { proxiedDestination, readProxyRefusal } from './proxy-reply.js';

/** What a row made of a talk: how it goes on (undefined: there is nothing more to learn from it), or why it failed. */
export type Heard = {
  readonly talk: Talk | undefined;
  readonly failure?: Failure;
  /** A status that is not in our lists. */
  readonly unknown?: string;
};

/** `destination` is the one behind a front end where that one failed. */
export type Failure = { readonly reason: Reason; readonly destination: string };

const over: Heard = { talk: undefined };

/**
 * A verdict waits for the end of the session: a refusal after the banner, or a certificate that is not as it should be,
 * decides nothing by itself. Exchange goes on with HELO after EHLO, without TLS where the connector does not require
 * it, with a certificate whose revocation list is out of reach. Only when it gives up there was a failure.
 * @param row any row of the session after `attempting to connect`
 */
export function hear(talk: Talk, row: SendRow): Heard {
  if (row.event === '<') return hearAnswer(talk, row.text);
  if (row.event === '>') return hearCommand(talk, row.text);
  if (row.event === '*') return hearNote(talk, row);
  return row.event === '-' ? hearEnd(talk, row.text) : { talk };
}

/** What a talk comes to when nobody goes on; undefined when nothing is suspected. */
export function failureOf({ suspect, about, destination }: Talk): Failure | undefined {
  return suspect && { reason: suspect, destination: about ?? destination };
}

/** What a refusal of each step means; a refusal of anything else leaves the connection as good as it was. */
const refusals: Readonly<Record<Talk['step'], Reason | undefined>> = {
  connect: undefined,
  ehlo: 'ehlo_rejected',
  starttls: 'starttls_rejected',
  auth: 'auth_rejected',
  proxy: 'proxy_failed',
  setup: 'other',
  other: undefined,
};

function hearAnswer(talk: Talk, text: string): Heard {
  const code = /^([45])\d\d(?!\d)/.exec(text)?.[1];
  if (talk.step === 'connect') {
    if (code === undefined) return /^\d{3}/.test(text) ? { talk } : failed(talk, 'not_smtp');
    return failed(talk, code === '4' ? 'banner_4xx' : 'banner_5xx');
  }
  if (code === undefined) return { talk };
  if (isMereEnd(talk, text)) return { talk: { ...talk, suspect: 'closed_by_remote', about: undefined } };
  if (talk.step === 'proxy') return { talk: withRefusal(talk, text) };
  const reason = refusals[talk.step];
  return { talk: reason === undefined ? talk : { ...talk, suspect: reason } };
}

/**
 * 421 ends the session whatever was asked (RFC 5321, 3.8). To EHLO and STARTTLS it is their refusal; to AUTH where its
 * enhanced code is of security (X.7.X, RFC 3463; those of RFC 4954 are), to XPROXYTO where it tells of the destination.
 */
function isMereEnd({ step, proxied }: Talk, text: string): boolean {
  if (!text.startsWith('421') || step === 'ehlo' || step === 'starttls') return false;
  if (step === 'auth') return !/^421[ -][45]\.7\./.test(text);
  return step !== 'proxy' || readProxyRefusal(text, proxied).destination === undefined;
}

/** An answer of several lines tells in one of them; the others do not take that back. */
function withRefusal(talk: Talk, text: string): Talk {
  const { reason, destination } = readProxyRefusal(text, talk.proxied);
  if (talk.suspect !== undefined && destination === undefined) return talk;
  return { ...talk, suspect: reason, about: destination };
}

/** Commands of a session before its first mail. */
const steps: Readonly<Record<string, Talk['step']>> = {
  EHLO: 'ehlo',
  HELO: 'ehlo',
  STARTTLS: 'starttls',
  'X-ANONYMOUSTLS': 'starttls',
  AUTH: 'auth',
  'X-EXPS': 'auth',
  XPROXY: 'proxy',
  XPROXYFROM: 'proxy',
  XPROXYTO: 'proxy',
  XSESSIONPARAMS: 'setup',
  XRSETPROXYTO: 'other',
  XSHADOW: 'other',
  XSHADOWREQUEST: 'other',
  XQDISCARD: 'other',
  VRFY: 'other',
};

function hearCommand(talk: Talk, text: string): Heard {
  const verb = /^[A-Z][A-Z-]{0,31}(?![A-Z-])/i.exec(text)?.[0].toUpperCase() ?? '';
  // With the first mail the connection has come to something, whatever the answer is.
  if (verb === 'MAIL') return over;
  if (verb === 'QUIT') return ended(talk) ?? over;
  if (verb === '') return { talk };
  // What was suspected before is suspected still, but it is not what is answered next.
  if (verb === 'RSET' || verb === 'NOOP') return { talk: { ...talk, step: 'other' } };
  const step = steps[verb];
  // What continues AUTH is no command, though it may look like one.
  if (step === undefined && talk.step === 'auth') return { talk };
  const proxied = talk.proxied ?? (step === 'proxy' ? proxiedDestination(text) : undefined);
  return {
    talk: { destination: talk.destination, step: step ?? 'other', ...(proxied !== undefined && { proxied }) },
  };
}

function hearNote(talk: Talk, { text, data = '' }: SendRow): Heard {
  const meaning = meaningOf(text, data);
  if (meaning.kind === 'over') return over;
  if (meaning.kind === 'cleared') return { talk: { ...talk, suspect: undefined, about: undefined } };
  if (meaning.kind !== 'suspect') return { talk };
  const { reason, vague, unknown } = meaning;
  if (vague === true && talk.suspect !== undefined) return { talk };
  return { talk: { ...talk, suspect: reason, about: undefined }, ...(unknown !== undefined && { unknown }) };
}

/** `Local`, `Remote`, `Remote(ConnectionReset)` or `Timeout`; a socket error has the name that .NET gives it. */
function hearEnd(talk: Talk, text: string): Heard {
  const suspected = ended(talk);
  if (suspected) return suspected;
  const [, who = '', inside] = /^(\w{1,64})\s*(?:\(\s*(\w{1,64})\s*\))?/.exec(text.trim()) ?? [];
  const name = inside ?? who;
  const reason = /^time-?d?-?out$/i.test(name) ? 'timeout' : reasonOfSocketError(name);
  if (reason === 'timeout') return failed(talk, talk.step === 'connect' ? 'banner_timeout' : 'timeout');
  if (reason !== undefined) return failed(talk, reason);
  if (!/^Remote$/i.test(who)) return over;
  return inside === undefined ? failed(talk, 'closed_by_remote') : { ...failed(talk, 'other'), unknown: text.trim() };
}

function ended(talk: Talk): Heard | undefined {
  const failure = failureOf(talk);
  return failure && { talk: undefined, failure };
}

function failed({ destination }: Talk, reason: Reason): Heard {
  return { talk: undefined, failure: { reason, destination } };
}
