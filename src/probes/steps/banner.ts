/** Does the server greet, and does it greet as an SMTP server that is ready? */
import type { Reason } from '../../model.js';
import { isFailure } from '../reason.js';
import { replyText } from '../smtp-lines.js';
import type { Step } from '../steps.js';

export const banner: Step = {
  name: 'banner',
  applies: () => true,
  fatal: () => true,
  async run({ talk, limits }) {
    const reply = await talk.reply(limits.bannerMs);
    if (isFailure(reply)) {
      return reply.reason === 'timeout' ? { reason: 'banner_timeout', detail: `no greeting: ${reply.detail}` } : reply;
    }
    if (reply.code === 220) return undefined;
    return { reason: reasonOf(reply.code), detail: `expected the greeting 220, got: ${replyText(reply)}` };
  },
};

function reasonOf(code: number): Reason {
  if (code >= 500) return 'banner_5xx';
  return code >= 400 ? 'banner_4xx' : 'not_smtp';
}
