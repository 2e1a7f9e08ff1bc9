/** Does the server accept our name, and what does it offer? */
import { isFailure, type Failure } from '../reason.js';
import { replyTooMany } from '../reply-too-many.js';
import { replyText, type Reply } from '../smtp-lines.js';
import type { Step } from '../steps.js';

export const ehlo: Step = {
  name: 'ehlo',
  applies: () => true,
  fatal: () => true,
  async run(visit) {
    const { talk, limits, settings } = visit;
    const name = await visit.ehloName();
    const first = settings.forceHelo === true ? undefined : await talk.command(`EHLO ${name}`, limits.replyMs);
    if (isFailure(first)) return first;
    if (first?.code === 250) visit.extensions = extensionsOf(first);
    const isAnswer = first !== undefined && (first.code < 500 || !talk.idle());
    if (isAnswer) return judge(first, name) ?? replyTooMany(talk, 'EHLO');
    // A server that does not know EHLO is asked in the old way, as Exchange does (RFC 5321 3.2).
    const second = await talk.command(`HELO ${name}`, limits.replyMs);
    if (isFailure(second)) return second;
    if (first) visit.ehloRefusal = replyText(first);
    return judge(second, name) ?? replyTooMany(talk, 'HELO');
  },
};

function judge(reply: Reply, name: string): Failure | undefined {
  if (reply.code === 250) return undefined;
  return {
    reason: 'ehlo_rejected',
    detail: `expected 250 after EHLO ${name}, got: ${replyText(reply)}${hintOf(reply, name)}`,
  };
}

/** 501 and 504 are what strict servers say to a name that is not a full one (RFC 5321 4.1.1.1). */
function hintOf({ code }: Reply, name: string): string {
  const isShort = !/[.[]/.test(name);
  return isShort && code >= 500 ? `; ${name} is not a full name: see Fqdn of the connector, or probe.ehloName` : '';
}

/** Keywords of the lines after the first, which only greets. */
function extensionsOf(reply: Reply): ReadonlySet<string> {
  return new Set(reply.lines.slice(1).map((line) => line.trim().split(/[\s=]/, 1)[0]?.toUpperCase() ?? ''));
}
