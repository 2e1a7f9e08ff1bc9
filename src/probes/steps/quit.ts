/** Says goodbye, so that the visit leaves no error in the log of the server. */
import { isFailure } from '../reason.js';
import { replyText } from '../smtp-lines.js';
import type { Step } from './step.js';

export const quit: Step = {
  name: 'quit',
  applies: ({ talk }) => talk.idle(),
  fatal: () => false,
  async run({ talk, limits }) {
    const reply = await talk.command('QUIT', limits.quitMs);
    if (isFailure(reply)) return reply;
    if (reply.code === 221) return undefined;
    // The answer to something earlier, and that to QUIT behind it: somewhere a reply was taken that answered nothing.
    const next = talk.idle() ? await talk.reply(limits.quitMs) : undefined;
    if (next && !isFailure(next)) {
      const both = `${replyText(reply)}, and then: ${replyText(next)}`;
      return { reason: 'not_smtp', detail: `expected one reply to QUIT, got: ${both}`, fatal: true };
    }
    if (reply.code < 400) return undefined;
    return { reason: 'other', detail: `expected 221 after QUIT, got: ${replyText(reply)}` };
  },
};
