/** Ends sessions that waited too long for the other transport log, whichever sources bring their rows. */
import type { Batch } from '../../model/batch.js';
import type { Evidence } from '../../model/evidence.js';
import type { Sessions } from '../transport/sessions.js';

/** They are entered without a checkpoint: nothing was read. @param source in whose name they are entered */
export async function endLateSessions(
  joined: Sessions,
  source: string,
  post: (batch: Batch) => Promise<void>,
): Promise<void> {
  const evidence: Evidence[] = [];
  joined.expire(evidence);
  const sessions = joined.changes();
  if (evidence.length + sessions.length === 0) return;
  await post({ source, evidence, ignored: 0, unreadable: {}, checkpoint: undefined, sessions, history: false });
}

const lookMs = 500;

/**
 * Looks again and again while all that is read is read to its end: what is still to be read may tell of them.
 * @returns what ends it
 */
export function keepEnding(
  joined: Sessions,
  source: string,
  { post, isReadToEnd }: { readonly post: (batch: Batch) => Promise<void>; readonly isReadToEnd: () => boolean },
): () => void {
  let isPosting = false;
  const look = async (): Promise<void> => {
    if (isPosting || !isReadToEnd()) return;
    isPosting = true;
    // What the ledger does not take it says itself.
    await endLateSessions(joined, source, post).catch(() => undefined);
    isPosting = false;
  };
  const timer = setInterval(() => void look(), lookMs).unref();
  return () => {
    clearInterval(timer);
  };
}
