/** The one error that decoding may throw; apart from the list of formats so that a format can import it. */
import type { UnreadableReason } from '../../model/records.js';

/** Thrown by `decode` for a record that cannot be read; counted by reason and stepped over. */
export class UnreadableRecord extends Error {
  readonly reason: UnreadableReason;
  private readonly tell: string | (() => string);

  /** @param tell the message, or what makes it: of millions of unreadable records one is told of, the others are counted */
  constructor(reason: UnreadableReason, tell: string | (() => string)) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super();
    Error.stackTraceLimit = limit;
    this.reason = reason;
    this.tell = tell;
  }

  override get name(): string {
    return 'UnreadableRecord';
  }

  /** To be read before the bytes of the record are gone. */
  override get message(): string {
    return typeof this.tell === 'string' ? this.tell : this.tell();
  }
}

/**
 * Does what may throw. Where it was thrown is of no use, and finding it out costs ten times what a record does: garbage
 * comes in millions.
 */
export function withoutStack<Result>(work: () => Result): Result {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/**
 * Invariant 8: whatever a decoder throws is one unreadable record. What no decoder means to throw is a fault of ours,
 * which must cost no more than this record either.
 */
export function unreadableOf(error: unknown): UnreadableRecord {
  if (error instanceof UnreadableRecord) return error;
  return new UnreadableRecord('decoder_failed', `the decoder failed, please report it: ${String(error)}`);
}
