/** Detects surplus replies: the next one would be taken for the answer to something else. */
import type { Conversation } from './conversation.js';
import type { Failure } from './reason.js';
import { fromWire } from './smtp-lines.js';

/** @param after what was answered: `EHLO` @returns undefined when the reply was the only one */
export function replyTooMany(talk: Conversation, after: string): Failure | undefined {
  const [line = ''] = talk.unread().split('\n', 1);
  if (line === '') return undefined;
  return {
    reason: 'not_smtp',
    detail: `expected one reply to ${after}, got a surplus reply: ${fromWire(line.trim())}`,
  };
}
