/** Does the server accept our name, and what does it offer? */
import { isFailure } from '../reason.js';
import { replyText, type Reply } from '../smtp-lines.js';
import type { Step } from '../steps.js';

export const ehlo: Step = {
  name: 'ehlo',
  applies: () => true,
  fatal: () => true,
  async run(visit) {
    const { talk, limits, ehloName, settings } = visit;
    let reply = settings.forceHelo === true ? undefined : await talk.command(`EHLO ${ehloName}`, limits.replyMs);
    // A server that does not know EHLO is asked in the old way, as Exchange does (RFC 5321 3.2).
    if (reply === undefined || (!isFailure(reply) && reply.code >= 500 && talk.idle())) {
      reply = await talk.command(`HELO ${ehloName}`, limits.replyMs);
    } else if (!isFailure(reply) && reply.code === 250) visit.extensions = extensionsOf(reply);
    if (isFailure(reply)) return reply;
    if (reply.code === 250) return undefined;
    return { reason: 'ehlo_rejected', detail: `expected 250 after EHLO ${ehloName}, got: ${replyText(reply)}` };
  },
};

/** Keywords of the lines after the first, which only greets. */
function extensionsOf(reply: Reply): ReadonlySet<string> {
  return new Set(reply.lines.slice(1).map((line) => line.trim().split(/[\s=]/, 1)[0]?.toUpperCase() ?? ''));
}
