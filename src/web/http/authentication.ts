/** Authentication before Express sees a request, because its routing costs as much as a whole rejection. */
import type { IncomingMessage, OutgoingHttpHeaders, RequestListener, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { withoutMapping } from '../../model/endpoint.js';
import type { Log } from '../../runtime/log.js';
import type { Access } from './access.js';
import { createLogin, type Verdict } from './login.js';
import { createRefusals } from './refusals.js';
import { createBucket, secureHeaders } from './security.js';

type Refusal = { readonly status: number; readonly headers: OutgoingHttpHeaders; readonly text: string };

/** Who else is let in, by a token in place of a name and a password, and who is told of those who are not. */
export type LoginOptions = {
  readonly isToken?: ((authorization: string | undefined) => boolean) | undefined;
  readonly refused?: () => void;
};

/**
 * Lets nothing through before the login, not even health: what answers strangers can be asked by strangers.
 * @param inside gets the requests of those who are let in, with the headers that every answer carries already set
 */
export function requireLogin(
  access: Access,
  log: Pick<Log, 'error'>,
  inside: RequestListener,
  { isToken, refused }: LoginOptions = {},
): RequestListener {
  const monotonic = (): number => performance.now();
  const login = createLogin({ users: () => access.current().users, now: monotonic });
  const takeToken = createBucket(monotonic);
  const refusals = createRefusals(monotonic);

  /** What a stranger may log in with. */
  const challenges = (): string[] => {
    const hasUsers = access.current().users.size > 0;
    return [...(isToken ? ['Bearer'] : []), ...(hasUsers || !isToken ? ['Basic'] : [])];
  };
  const judge = async (request: IncomingMessage): Promise<Verdict> => {
    const { rateLimit } = access.current();
    const wait = rateLimit === undefined ? 0 : takeToken(rateLimit);
    if (wait > 0) return { kind: 'wait', seconds: Math.ceil(wait / 1000) };
    if (isToken?.(request.headers.authorization)) return { kind: 'admitted' };
    // Without users the login lets everybody in.
    if (isToken && access.current().users.size === 0) return { kind: 'unauthorized' };
    return login.judge(request.headers.authorization, remoteOf(request));
  };
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    secureHeaders(response, access.current().headers);
    const verdict = await judge(request);
    if (verdict.kind === 'admitted') {
      inside(request, response);
      return;
    }
    refused?.();
    const held = refusals.holdMs();
    if (held > 0) await pause(held);
    refuse(response, refusalOf(verdict, challenges()));
  };
  return (request, response) => {
    receive(request, response).catch((error: unknown) => {
      log.error('a password could not be checked', { err: error });
      if (!response.headersSent) refuse(response, failed);
    });
  };
}

/** Senders of records send again after 503, and drop what is answered with 500. */
const failed: Refusal = {
  status: 503,
  headers: { 'Retry-After': '5' },
  text: 'The password could not be checked, see the log.\n',
};

function refusalOf(verdict: Exclude<Verdict, { readonly kind: 'admitted' }>, challenges: string[]): Refusal {
  if (verdict.kind === 'wait')
    return { status: 429, headers: { 'Retry-After': String(verdict.seconds) }, text: 'Too many requests.\n' };
  return { status: 401, headers: { 'WWW-Authenticate': challenges }, text: 'Unauthorized.\n' };
}

function refuse(response: ServerResponse, { status, headers, text }: Refusal): void {
  const ofText = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': Buffer.byteLength(text) };
  response.writeHead(status, { ...headers, ...ofText }).end(text);
}

/** The address of the connection: X-Forwarded-For could be written by anybody. */
export function remoteOf({ socket }: IncomingMessage): string {
  return withoutMapping(socket.remoteAddress ?? 'unknown');
}
