/** Does the server greet, and does it greet as an SMTP server that is ready? */
import type { Reason } from '../../model/words.js';
import { isFailure, type Failure } from '../reason.js';
import { replyTooMany } from '../reply-too-many.js';
import { replyText } from '../smtp-lines.js';
import type { Step, Visit } from './step.js';

export const banner: Step = {
  name: 'banner',
  applies: () => true,
  fatal: () => true,
  async run(visit) {
    const { talk, limits } = visit;
    const reply = await talk.reply(limits.bannerMs);
    if (isFailure(reply)) return reply.reason === 'timeout' ? noGreeting(visit, reply) : reply;
    if (reply.code === 220) return replyTooMany(talk, 'the connection');
    return { reason: reasonOf(reply.code), detail: `expected the greeting 220, got: ${replyText(reply)}` };
  },
};

/** Ports on which SMTP begins in clear text everywhere: no handshake is tried there. */
const clearPorts: ReadonlySet<number> = new Set([25, 475, 587, 717, 2525]);

/** Where TLS begins at once it is the client who speaks first, and the server waits: a handshake tells. */
async function noGreeting({ talk, target, limits }: Visit, { detail }: Failure): Promise<Failure> {
  const mayBeTls = talk.unread() === '' && !clearPorts.has(target.port);
  const secured = mayBeTls && !isFailure(await talk.secure({}, limits.quitMs));
  const hint = secured ? '; the server speaks TLS at once, which Send connectors do not: port 465?' : '';
  return { reason: 'banner_timeout', detail: `no greeting: ${detail}${hint}` };
}

function reasonOf(code: number): Reason {
  if (code >= 500) return 'banner_5xx';
  return code >= 400 ? 'banner_4xx' : 'not_smtp';
}
