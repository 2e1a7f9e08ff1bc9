/** Follows what a Send connector and a remote server say after the connect, up to the first mail: does it fail, and why. */
import type { Reason, SendRow, Talk } from '../model.js';
import { reasonOfTls } from './connect-reasons.js';

/** What a row made of a talk: how it goes on (undefined: there is nothing more to learn from it), or why it failed. */
export type Heard = { readonly talk: Talk | undefined; readonly failure?: Reason };

const over: Heard = { talk: undefined };

/** @param row any row of the session after `attempting to connect` */
export function hear(talk: Talk, row: SendRow): Heard {
  if (row.event === '<') return hearAnswer(talk, row.text);
  if (row.event === '>') return hearCommand(talk, row.text);
  if (row.event === '*') return hearNote(talk, row.text);
  return row.event === '-' ? hearEnd(talk, row.text) : { talk };
}

/**
 * A refusal after the banner decides nothing by itself: Exchange goes on with HELO after EHLO, and without TLS where the
 * connector does not require it. Only when it gives up there was a failure.
 */
function hearAnswer(talk: Talk, text: string): Heard {
  const code = /^([45])\d\d/.exec(text)?.[1];
  if (talk.step === 'connect') {
    if (code === undefined) return /^\d{3}/.test(text) ? { talk } : failed('not_smtp');
    return failed(code === '4' ? 'banner_4xx' : 'banner_5xx');
  }
  if (code === undefined) return { talk };
  return { talk: { ...talk, suspect: talk.step === 'starttls' ? 'starttls_rejected' : 'ehlo_rejected' } };
}

function hearCommand(talk: Talk, text: string): Heard {
  const command = /^[A-Z-]+/i.exec(text)?.[0].toUpperCase();
  // With the first mail the connection has come to something.
  if (command === 'MAIL') return over;
  if (command === 'QUIT') return talk.suspect ? failed(talk.suspect) : over;
  const step = command === 'STARTTLS' || command === 'X-ANONYMOUSTLS' ? 'starttls' : 'ehlo';
  return command === 'EHLO' || command === 'HELO' || step === 'starttls'
    ? { talk: { destination: talk.destination, step } }
    : { talk };
}

function hearNote(talk: Talk, text: string): Heard {
  if (/^TLS negotiation failed/i.test(text)) return failed(reasonOfTls(text));
  if (/^Tls cipher strength is too weak/i.test(text)) return failed('tls_handshake');
  if (/^Outbound TLS authentication failed/i.test(text)) {
    const reason = reasonOfTls(text);
    return failed(reason === 'tls_handshake' ? 'certificate_untrusted' : reason);
  }
  if (/only over TLS connections and remote doesn't support TLS/i.test(text)) return failed('starttls_not_offered');
  if (/^HandleError has encountered a suspicious connection reset/i.test(text)) return failed('reset');
  // The service ends: nobody refused anything.
  return /^Server shutdown/i.test(text) ? over : { talk };
}

/** `Local`, `Remote`, `Remote(...)` or `Timeout`. */
function hearEnd(talk: Talk, text: string): Heard {
  if (talk.suspect) return failed(talk.suspect);
  if (/^Remote/i.test(text)) return failed(/reset/i.test(text) ? 'reset' : 'closed_by_remote');
  if (/^Time-?out/i.test(text)) return failed(talk.step === 'connect' ? 'banner_timeout' : 'timeout');
  return over;
}

function failed(failure: Reason): Heard {
  return { talk: undefined, failure };
}
