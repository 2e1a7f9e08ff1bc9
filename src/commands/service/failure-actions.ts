/** What the service manager does after a failure of the service, in the form that it takes. */

export type Restarts = {
  /** Milliseconds before the restart after the first, the second and any later failure. */
  readonly restartAfterMs: readonly number[];
  /** Seconds without a failure after which the next one counts as the first. */
  readonly failuresForgottenAfter: number;
};

// SC_ACTION_RESTART of winsvc.h; its other members say what to run instead and what to tell people, and stay empty.
const restart = 1;
const [header, action] = [40, 8];

/**
 * SERVICE_FAILURE_ACTIONSW of winsvc.h for 64 bits. The actions stand behind it in the same buffer, so that they live as long.
 * @param addressOf where a buffer stands in memory
 */
export function failureActions(wanted: Restarts, addressOf: (buffer: Buffer) => bigint): Buffer {
  const { restartAfterMs, failuresForgottenAfter } = wanted;
  const bytes = Buffer.alloc(header + action * restartAfterMs.length);
  bytes.writeUInt32LE(failuresForgottenAfter, 0);
  bytes.writeUInt32LE(restartAfterMs.length, 24);
  bytes.writeBigUInt64LE(addressOf(bytes) + BigInt(header), 32);
  for (const [index, delay] of restartAfterMs.entries()) {
    bytes.writeUInt32LE(restart, header + action * index);
    bytes.writeUInt32LE(delay, header + action * index + 4);
  }
  return bytes;
}
