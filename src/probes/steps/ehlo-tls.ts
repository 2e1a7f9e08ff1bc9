/** Is our name accepted inside TLS as well? What was said before TLS counts no longer (RFC 3207 4.2). */
import { setImmediate as turn } from 'node:timers/promises';
import { isFailure } from '../reason.js';
import { replyTooMany } from '../reply-too-many.js';
import { replyText } from '../smtp-lines.js';
import type { Step } from './step.js';

/**
 * Servers say here what they could not say before: that they want a certificate of the client (under TLS 1.3 the
 * handshake is over for us before the server has judged it), or that they do not serve us after all. Mail does not go
 * back to clear text from here, so a failure decides the visit, whatever the connector requires.
 */
export const ehloTls: Step = {
  name: 'ehlo_tls',
  applies: ({ startTlsAgreed }) => startTlsAgreed,
  fatal: () => true,
  async run({ talk, limits, ehloName }) {
    const name = await ehloName();
    // What came in one piece with the end of the handshake is handed out in the next turn.
    await turn();
    const reply = await talk.command(`EHLO ${name}`, limits.replyMs);
    if (isFailure(reply)) return reply;
    if (reply.code === 250) return replyTooMany(talk, 'EHLO');
    return {
      reason: 'ehlo_rejected',
      detail: `expected 250 after EHLO ${name} inside TLS, got: ${replyText(reply)}`,
    };
  },
};
