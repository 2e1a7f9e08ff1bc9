/** Does the server accept our name, and what does it offer? */
import { isFailure, type Failure } from '../reason.js';
import { replyTooMany } from '../reply-too-many.js';
import { replyText, type Reply } from '../smtp-lines.js';
import type { Step, Visit } from './step.js';

export const ehlo: Step = {
  name: 'ehlo',
  applies: () => true,
  fatal: () => true,
  async run(visit) {
    const { talk, limits, settings } = visit;
    const name = await visit.ehloName();
    if (settings.forceHelo === true) return helo(visit, name);
    const reply = await talk.command(`EHLO ${name}`, limits.replyMs);
    if (isFailure(reply)) return reply;
    if (reply.code === 250) {
      visit.extensions = extensionsOf(reply);
      return replyTooMany(talk, 'EHLO');
    }
    return unknownEhlo.has(reply.code) ? helo(visit, name, reply) : rejected([['EHLO', replyText(reply)]], name, reply);
  },
};

/**
 * A server that does not know EHLO is asked in the old way, as Exchange does (RFC 5321 3.2): these replies are about the
 * command or its argument (RFC 5321 4.2.3). Any other refuses us, and would refuse HELO just as well.
 */
const unknownEhlo: ReadonlySet<number> = new Set([500, 501, 502, 504]);

/** @param refusal what was said to EHLO; it stays the reason whatever becomes of HELO */
async function helo(visit: Visit, name: string, refusal?: Reply): Promise<Failure | undefined> {
  const { talk, limits } = visit;
  const tooMany = refusal && replyTooMany(talk, 'EHLO');
  if (tooMany) return tooMany;
  const reply = await talk.command(`HELO ${name}`, limits.replyMs);
  if (!isFailure(reply) && reply.code === 250) {
    if (refusal) visit.ehloRefusal = replyText(refusal);
    return replyTooMany(talk, 'HELO');
  }
  // Our own end is no word of the server.
  if (isFailure(reply) && (!refusal || reply.reason === 'other')) return reply;
  const toHelo = isFailure(reply) ? reply.detail : replyText(reply);
  const earlier: readonly Answer[] = refusal ? [['EHLO', replyText(refusal)]] : [];
  return rejected([...earlier, ['HELO', toHelo]], name, isFailure(reply) ? refusal : reply);
}

/** A command, and what came of it. */
type Answer = readonly [command: string, outcome: string];

function rejected(answers: readonly Answer[], name: string, last: Reply | undefined): Failure {
  const said = answers.map(([command, outcome]) => `after ${command} ${name}, got: ${outcome}`).join('; then ');
  return { reason: 'ehlo_rejected', detail: `expected 250 ${said}${hintOf(last?.code ?? 0, name)}` };
}

/** 501 and 504 are what strict servers say to a name that is not a full one (RFC 5321 4.1.1.1). */
function hintOf(code: number, name: string): string {
  const isShort = !/[.[]/.test(name);
  return isShort && code >= 500 ? `; ${name} is not a full name: see Fqdn of the connector, or probe.ehloName` : '';
}

/**
 * Keywords of the lines after the first, which only greets. A space before one stays: RFC 5321 4.1.1.1 has none there, so
 * a client may overlook what follows.
 */
function extensionsOf(reply: Reply): ReadonlySet<string> {
  const keywords = reply.lines.slice(1).map((line) => /^\s*[^\s=]*/.exec(line)?.[0].toUpperCase() ?? '');
  return new Set(keywords.filter((keyword) => keyword.trim() !== ''));
}
