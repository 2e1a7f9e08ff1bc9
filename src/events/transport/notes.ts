/** The notes of Exchange about a session in the Send protocol log, one per row: how it begins and how it ends. */
import type { Reason } from '../../model/words.js';
import { chainReasonIn, tlsVerdictOf } from './tls-status.js';

/**
 * What a note means for a session that has not come to its first mail. `over`: nothing more can be learned from it;
 * `cleared`: what was suspected did no harm; `suspect`: a failure unless the session goes on all the same. A `vague`
 * one does not replace what an answer of the server has told before.
 */
export type Meaning =
  | { readonly kind: 'over' | 'cleared' | 'nothing' }
  | { readonly kind: 'suspect'; readonly reason: Reason; readonly vague?: boolean; readonly unknown?: string };

type Note = {
  /** Beginnings, in lower case. */
  readonly begins: readonly string[];
  readonly source: string;
  readonly meaning: (text: string, data: string) => Meaning;
};

const over: Meaning = { kind: 'over' };
const cleared: Meaning = { kind: 'cleared' };
const nothing: Meaning = { kind: 'nothing' };

const session = 'decompiled Exchange 2013, SmtpOutSession';
const proxySession = 'decompiled Exchange 2013, SmtpOutProxySession';

/** Rows that tell of the connect itself stand here for the pre-filter; the join reads them. */
export const attemptBegins = 'attempting to connect';
const connectBegins = [attemptBegins, 'failed to connect', 'socketerror: failed', 'unable to connect'];

const notes: readonly Note[] = [
  { begins: connectBegins, source: 'decompiled Exchange 2013, SmtpOutConnection', meaning: () => nothing },
  {
    begins: ['tls negotiation failed'],
    source: session,
    meaning: (text) => ofStatus(wordAfter(text, 'error'), 'tls_handshake'),
  },
  { begins: ['tls cipher strength is too weak'], source: session, meaning: () => suspect('tls_handshake') },
  {
    // The level is what the connector asks for; the error is what the certificate did not pass.
    begins: ['outbound tls authentication failed'],
    source: session,
    meaning: (text) =>
      ofStatus(
        wordAfter(text, 'chainvaliditystatus') ?? wordAfter(text, 'error') ?? wordAfter(text, 'status'),
        'certificate_untrusted',
      ),
  },
  {
    begins: ['chain validation status'],
    source: 'captured Exchange 2016 and 2019 logs: the status stands in data',
    meaning: (_, data) => ofStatus(data.trim(), 'certificate_untrusted'),
  },
  { begins: ['crl validation failed', 'treating crl'], source: session, meaning: treated },
  { begins: ['directtrust certificate failed'], source: session, meaning: () => suspect('certificate_untrusted') },
  {
    begins: ['connector is configured to send mail only over tls'],
    source: 'decompiled Exchange 2013, EHLOSmtpCommand',
    meaning: () => suspect('starttls_not_offered'),
  },
  {
    begins: ['drop connection because tls configuration requires tls'],
    source: 'decompiled Exchange 2013, MailSmtpCommand',
    meaning: () => ({ kind: 'suspect', reason: 'starttls_not_offered', vague: true }),
  },
  { begins: ['message to secure domain'], source: session, meaning: domainSecurity },
  {
    // No word of the closed list says that an extension of Exchange is missing.
    begins: ['connection to remote endpoint'],
    source: session,
    meaning: (text) => (/did not advertise XOORG/i.test(text) ? suspect('other') : nothing),
  },
  {
    begins: ['the connection was dropped because a response was illegally formatted'],
    source: proxySession,
    meaning: () => suspect('not_smtp'),
  },
  {
    begins: ['outbound authentication failed'],
    source: 'decompiled Exchange 2013, AuthSmtpCommand; a captured log of Exchange 2013',
    meaning: () => suspect('auth_rejected'),
  },
  { begins: ['proxy session successfully set up'], source: proxySession, meaning: () => over },
  { begins: ['handleerror has encountered a suspicious'], source: session, meaning: () => suspect('reset') },
  // The service ends: nobody refused anything.
  { begins: ['server shutdown'], source: session, meaning: () => over },
];

/** @param data the cell before the note, which holds a status for some */
export function meaningOf(text: string, data: string): Meaning {
  const start = text.slice(0, longestBegin).trimStart().toLowerCase();
  const note = notes.find(({ begins }) => begins.some((begin) => start.startsWith(begin)));
  return note ? note.meaning(text.slice(0, longest), data.slice(0, longest)) : nothing;
}

/** Hashes of the first letters of all notes, for the pre-filter: it cannot know other notes than this table. */
export const noteKeys: ReadonlySet<number> = new Set(
  notes.flatMap(({ begins }) => begins.map((begin) => noteKey(Buffer.from(begin), 0))),
);

/** The first four letters at a place, whatever their case, as one number. */
export function noteKey(bytes: Buffer, at: number): number {
  let key = 0;
  for (let place = at; place < at + 4; place++) key = (key << 8) | ((bytes[place] ?? 0) | 0x20);
  return key;
}

const longestBegin = 80;
const longest = 1_000;

function suspect(reason: Reason): Meaning {
  return { kind: 'suspect', reason };
}

function ofStatus(word: string | undefined, otherwise: Reason): Meaning {
  if (word === undefined || word === '') return suspect(otherwise);
  const { reason, unknown } = tlsVerdictOf(word, otherwise);
  if (reason === undefined) return nothing;
  return unknown === undefined ? suspect(reason) : { kind: 'suspect', reason, unknown };
}

/** `with error UntrustedRoot`, `ChainValidityStatus = UntrustedRoot.`: the last word that a key stands before. */
function wordAfter(text: string, key: string): string | undefined {
  return new RegExp(String.raw`\b${key}\b[\s:='"]{1,8}(\w{1,64})`, 'gi').exec(text)?.[1];
}

/** A revocation list that nobody could fetch is no failure where Exchange goes on; without these words it is one. */
function treated(text: string): Meaning {
  if (/as success/i.test(text)) return cleared;
  return ofStatus(wordAfter(text, 'status'), 'certificate_untrusted');
}

function domainSecurity(text: string): Meaning {
  const why = text.slice(Math.max(0, text.search(/failed because/i)));
  const vague = (reason: Reason): Meaning => ({ kind: 'suspect', reason, vague: true });
  if (/with response/i.test(why)) return vague('starttls_rejected');
  if (/not offered|can't be issued/i.test(why)) return vague('starttls_not_offered');
  const chain = chainReasonIn(why);
  if (chain) return suspect(chain);
  if (/certificate|chain/i.test(why))
    return vague(/subject|name/i.test(why) ? 'certificate_name_mismatch' : 'certificate_untrusted');
  return vague(why.includes('TLS') ? 'tls_handshake' : 'other');
}
