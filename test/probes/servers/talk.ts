/** A mail server by what it says in each place; whatever is not given it says as a good one does. */
import type { Peer, Script } from '../scripted-server.js';
import { goodCertificate } from './certificates.js';

type Moment = 'banner' | 'ehlo' | 'helo' | 'starttls' | 'hello of TLS' | 'inside' | 'quit';

export type Talk = {
  readonly banner?: string | Buffer;
  readonly ehlo?: string;
  readonly helo?: string;
  readonly starttls?: string;
  /** What it sends in place of TLS, once the client has begun. */
  readonly insteadOfTls?: string | Buffer;
  readonly tls?: Parameters<Peer['secure']>[0];
  /** Told the name that the client asked for (SNI). */
  readonly onName?: (name: string | false | null) => void;
  /** Said inside TLS before it is asked anything. */
  readonly early?: string;
  readonly inside?: string;
  readonly quit?: string;
  /** Milliseconds before it says anything in this place. */
  readonly slow?: Partial<Record<Moment, number>>;
  readonly closesAt?: Moment;
  readonly resetsAt?: Moment;
  readonly silentAt?: Moment;
  /** Closes after having said this place's line. */
  readonly closesAfter?: Moment;
};

/** What is expected of a visit: `passes`, `warns STEP REASON` or `fails STEP REASON`. */
export type Outcome = string;

export type Row = {
  readonly what: string;
  readonly talk: Talk;
  /** The visit of a connector without a rule for TLS. */
  readonly open: Outcome;
  /** That of a connector with DomainValidation. */
  readonly strict: Outcome;
  /** What the detail of the step has to say. */
  readonly says: RegExp | undefined;
  /** TlsDomain of both connectors. @default mail.contoso.example */
  readonly name?: string;
};

/** @param strict where it differs from `open` */
export function row(what: string, talk: Talk, open: Outcome, strict: Outcome = open, says?: RegExp): Row {
  return { what, talk, open, strict, says };
}

export function scriptOf(talk: Talk): Script {
  return async (peer) => {
    if (await ends(peer, talk, 'banner')) return;
    await peer.say(talk.banner ?? '220 mail.contoso.example ESMTP\r\n');
    let inside = false;
    for (let goesOn = talk.closesAfter !== 'banner'; goesOn;) {
      const verb = (await peer.hear()).split(' ')[0]?.toUpperCase();
      const moment: Moment = verb === 'EHLO' && inside ? 'inside' : momentOf(verb);
      if (await ends(peer, talk, moment)) return;
      const reply = replyAt(talk, moment);
      await peer.say(reply);
      goesOn = talk.closesAfter !== moment && moment !== 'quit';
      if (moment !== 'starttls' || !reply.startsWith('220')) continue;
      if (!(await secures(peer, talk))) return;
      inside = true;
    }
    peer.close();
  };
}

const replies: Readonly<Record<Moment, string>> = {
  banner: '',
  'hello of TLS': '',
  ehlo: '250-mail.contoso.example\r\n250-SIZE 10240000\r\n250 STARTTLS\r\n',
  helo: '250 mail.contoso.example\r\n',
  starttls: '220 2.0.0 ready\r\n',
  inside: '250-mail.contoso.example\r\n250 SIZE 10240000\r\n',
  quit: '221 2.0.0 bye\r\n',
};

function replyAt(talk: Talk, moment: Moment): string {
  const own = moment === 'banner' || moment === 'hello of TLS' ? undefined : talk[moment];
  return own ?? replies[moment];
}

function momentOf(verb: string | undefined): Moment {
  if (verb === 'EHLO') return 'ehlo';
  if (verb === 'HELO') return 'helo';
  return verb === 'STARTTLS' ? 'starttls' : 'quit';
}

/** The end of the connection, or a silence from here on. */
async function ends(peer: Peer, talk: Talk, moment: Moment): Promise<boolean> {
  const ms = talk.slow?.[moment];
  if (ms !== undefined) await peer.wait(ms);
  if (talk.closesAt === moment) peer.close();
  if (talk.resetsAt === moment) peer.reset();
  return [talk.closesAt, talk.resetsAt, talk.silentAt].includes(moment);
}

async function secures(peer: Peer, talk: Talk): Promise<boolean> {
  const isNone = [talk.closesAt, talk.resetsAt].includes('hello of TLS') || talk.insteadOfTls !== undefined;
  if (isNone) await peer.stir();
  if (await ends(peer, talk, 'hello of TLS')) return false;
  if (talk.insteadOfTls !== undefined) {
    await peer.say(talk.insteadOfTls);
    return false;
  }
  const name = await peer.secure({ ...goodCertificate, ...talk.tls });
  talk.onName?.(name);
  if (talk.early !== undefined) await peer.say(talk.early);
  return true;
}
