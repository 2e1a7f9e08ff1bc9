/** The one error that decoding may throw; apart from the list of formats so that a format can import it. */
import type { UnreadableReason } from '../model.js';

/** Thrown by `decode` for a record that cannot be read; counted by reason and stepped over. */
export class UnreadableRecord extends Error {
  constructor(
    readonly reason: UnreadableReason,
    message: string,
  ) {
    super(message);
    this.name = 'UnreadableRecord';
  }
}
