/**
 * One connection of one visit: connects, exchanges lines, turns on TLS, and is always closed. It hides every way in
 * which a socket can end: each wait gives what was waited for, or the reason why it will never come.
 */
import net from 'node:net';
import tls from 'node:tls';
import { createBreath } from '../runtime/breath.js';
import type { TranscriptLine } from '../model/probes.js';
import { isFailure, securedFailure, socketFailure, tlsFailure, type Failure } from './reason.js';
import { fromWire, isTls, takeReply, type Reply } from './smtp-lines.js';

export type Conversation = {
  readonly connect: (options: net.TcpNetConnectOpts, limitMs: number) => Promise<net.Socket | Failure>;
  /** The next reply of the server. */
  readonly reply: (limitMs: number) => Promise<Reply | Failure>;
  /** Sends one line and waits for the reply; a reply that was there before is no answer to it, and breaks the protocol. */
  readonly command: (line: string, limitMs: number) => Promise<Reply | Failure>;
  /** Continues on this connection with TLS. The certificate is not judged here. */
  readonly secure: (options: tls.ConnectionOptions, limitMs: number) => Promise<tls.TLSSocket | Failure>;
  /** Our end of the connection; undefined while there is none. */
  readonly localAddress: () => string | undefined;
  /** What the server sent without being asked, each byte one character. */
  readonly unread: () => string;
  /** True while the server has answered everything and waits for a command: QUIT makes sense. */
  readonly idle: () => boolean;
  /** Ends the connection: politely after a good end, at once otherwise. */
  readonly close: () => void;
};

export type ConversationOptions = {
  /** When everything must be over, on the clock of `performance.now()`. */
  readonly deadline: number;
  readonly signal: AbortSignal;
  readonly note: (direction: TranscriptLine['direction'], text: string) => void;
};

/** The name is not checked here, so the certificate is not needed for it. */
const noCheck = (): undefined => undefined;
const noCertificate = (): tls.DetailedPeerCertificate => ({}) as tls.DetailedPeerCertificate;

/** One for all connections: many that come to their handshake at the same moment must not hold the event loop together. */
const breatheBeforeTls = createBreath();

/** More than this unread ends the conversation: nobody sends so much before he is asked. */
const maxBuffer = 64 * 1024;

// The state of one connection lives in this closure; every function in it is short.
// eslint-disable-next-line max-lines-per-function
export function openConversation({ deadline, signal, note }: ConversationOptions): Conversation {
  let socket: net.Socket | undefined;
  let buffer = '';
  let broken: Failure | undefined;
  let wake: (() => void) | undefined;
  let idle = false;

  const breakWith = (failure: Failure): void => {
    broken ??= failure;
    wake?.();
  };
  const onAbort = (): void => {
    breakWith({ reason: 'other', detail: 'the exporter is stopping' });
  };
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();

  /** Waits until `ready` gives something, the connection breaks, or the time is up. */
  const wait = <T extends object>(limitMs: number, ready: () => T | undefined): Promise<T | Failure> => {
    const now = ready() ?? broken;
    if (now) return Promise.resolve(now);
    const ms = Math.max(0, Math.min(limitMs, deadline - performance.now()));
    return new Promise((resolve) => {
      const settle = (value: T | Failure): void => {
        wake = undefined;
        clearTimeout(timer);
        resolve(value);
      };
      const timer = setTimeout(() => {
        settle({ reason: 'timeout', detail: `no answer within ${(ms / 1000).toFixed(1)} s` });
      }, ms);
      wake = () => {
        const value = ready() ?? broken;
        if (value) settle(value);
      };
    });
  };

  const listen = (to: net.Socket, failureOf: (error: unknown) => Failure): void => {
    to.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      buffer += text;
      if (buffer.length > maxBuffer) {
        breakWith({ reason: 'not_smtp', detail: `expected SMTP, got more than ${maxBuffer} bytes without a pause` });
        to.destroy();
      } else if (text.includes('\n') || buffer.length > 4096 || isTls(buffer)) wake?.();
    });
    to.on('error', (error) => {
      breakWith(failureOf(error));
    });
    const onEnd = (): void => {
      breakWith({ reason: 'closed_by_remote', detail: 'the server closed the connection' });
    };
    to.on('end', onEnd);
    to.on('close', onEnd);
  };

  const takeFromBuffer = (): Reply | Failure | undefined => {
    const taken = takeReply(buffer);
    if (!taken) return undefined;
    if ('broken' in taken) return { reason: 'not_smtp', detail: taken.broken };
    buffer = buffer.slice(taken.used);
    return taken.reply;
  };

  const reply = async (limitMs: number): Promise<Reply | Failure> => {
    idle = false;
    const got = await wait<Reply | Failure>(limitMs, takeFromBuffer);
    if (isFailure(got)) return got.reason === 'timeout' ? withRest(got, buffer) : got;
    const { code, lines } = got;
    lines.forEach((text, index) => {
      note('<', fromWire(`${code}${index < lines.length - 1 ? '-' : ' '}${text}`));
    });
    // 421 announces that the server hangs up (RFC 5321 3.8): nothing more to say.
    idle = code !== 421;
    return got;
  };

  return {
    async connect(options, limitMs) {
      if (broken) return broken;
      let connected = false;
      const opened = net.connect({ ...options, allowHalfOpen: false });
      socket = opened;
      listen(opened, socketFailure);
      opened.once('connect', () => {
        connected = true;
        wake?.();
      });
      return wait(limitMs, () => (connected ? opened : undefined));
    },
    reply,
    async command(line, limitMs) {
      if (broken) return broken;
      // What is here by now cannot be the answer (RFC 5321 4.1.1: the client speaks, then the server).
      const early = buffer.split('\n', 1)[0]?.trim() ?? '';
      if (buffer !== '') {
        idle = false;
        return {
          reason: 'not_smtp',
          detail: `expected nothing before ${verbOf(line)} was sent, got: ${fromWire(early)}`,
        };
      }
      note('>', line);
      socket?.write(`${line}\r\n`, 'latin1');
      return reply(limitMs);
    },
    async secure(options, limitMs) {
      await breatheBeforeTls();
      if (broken || !socket) return broken ?? { reason: 'other', detail: 'there is no connection' };
      const plain = socket;
      plain.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close');
      let secured = false;
      let ourPartIsSent = false;
      idle = false;
      const unjudged = { rejectUnauthorized: false, checkServerIdentity: noCheck };
      const upgraded = tls.connect({ ...options, ...unjudged, socket: plain });
      // Node copies the whole chain to hand it to the check of the name.
      upgraded.getPeerCertificate = noCertificate;
      socket = upgraded;
      listen(upgraded, (error) => (secured ? securedFailure(error) : tlsFailure(error, ourPartIsSent)));
      // The secrets are agreed on: what the server sends from here on answers to what we have sent.
      upgraded.once('keylog', () => {
        ourPartIsSent = true;
      });
      upgraded.once('secureConnect', () => {
        secured = true;
        idle = true;
        wake?.();
      });
      return wait(limitMs, () => (secured ? upgraded : undefined));
    },
    localAddress: () => socket?.localAddress,
    unread: () => buffer,
    idle: () => idle && !broken,
    close() {
      signal.removeEventListener('abort', onAbort);
      if (!socket) return;
      // TLS has a goodbye of its own (close_notify); without it, to close says the same as to end first.
      if (!broken && socket instanceof tls.TLSSocket && socket.writable) socket.destroySoon();
      else socket.destroy();
    },
  };
}

/** `STARTTLS` of a line of that command. */
function verbOf(line: string): string {
  return line.split(' ', 1)[0] ?? line;
}

/** Half a line or half a reply says what the server may be, and that it is not silent. */
function withRest({ reason, detail }: Failure, buffer: string): Failure {
  if (buffer === '') return { reason, detail };
  const lines = buffer.trimEnd().split(/\r?\n/);
  const what = buffer.includes('\n') ? 'reply' : 'line';
  return { reason, detail: `${detail}, only the unfinished ${what}: ${fromWire(lines.join(' / '))}` };
}
