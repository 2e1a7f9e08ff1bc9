/** Errors of the Windows event log: their numbers as in winerror.h, what they mean and what to do about them. */

/** A test compares each with the header. */
export const errorNumbers = {
  ERROR_ACCESS_DENIED: 5,
  ERROR_INVALID_HANDLE: 6,
  ERROR_INVALID_PARAMETER: 87,
  ERROR_INSUFFICIENT_BUFFER: 122,
  ERROR_NO_MORE_ITEMS: 259,
  ERROR_NOT_FOUND: 1168,
  RPC_S_SERVER_UNAVAILABLE: 1722,
  RPC_S_INVALID_BOUND: 1734,
  RPC_S_CALL_CANCELLED: 1818,
  ERROR_INVALID_OPERATION: 4317,
  ERROR_EVT_INVALID_QUERY: 15001,
  ERROR_EVT_CHANNEL_NOT_FOUND: 15007,
  ERROR_EVT_QUERY_RESULT_STALE: 15011,
  ERROR_EVT_QUERY_RESULT_INVALID_POSITION: 15012,
} as const;

/** A call of Windows that failed. */
export class WindowsError extends Error {
  constructor(
    readonly call: string,
    readonly code: number,
  ) {
    const meaning = meanings.get(code);
    super(`${call} failed with error ${code}${meaning === undefined ? '' : `: ${meaning}`}`);
    this.name = 'WindowsError';
  }
}

const numbers = errorNumbers;

const meanings = new Map<number, string>([
  [numbers.ERROR_ACCESS_DENIED, 'access denied; add the account of the exporter to the group Event Log Readers'],
  [numbers.RPC_S_SERVER_UNAVAILABLE, 'the Windows Event Log service does not answer; trying again'],
  [numbers.RPC_S_CALL_CANCELLED, 'the Windows Event Log service cancelled the call; trying again'],
  [numbers.RPC_S_INVALID_BOUND, 'the records were too large for one call; asking for fewer'],
  [numbers.ERROR_EVT_CHANNEL_NOT_FOUND, 'there is no such channel; `wevtutil el` lists the channels of this machine'],
  [numbers.ERROR_EVT_INVALID_QUERY, 'Windows rejected the query; please report it'],
  [numbers.ERROR_EVT_QUERY_RESULT_STALE, 'the log was changed during the subscription'],
]);

/**
 * The end of what there is to read. With 4317 EvtNext says that there is nothing new; taking it for a failure would
 * reopen the subscription for ever.
 */
export function isEnd(error: WindowsError): boolean {
  return [numbers.ERROR_NO_MORE_ITEMS, numbers.ERROR_INVALID_OPERATION].some((code) => code === error.code);
}

/** A strict subscription cannot begin after its bookmark: the record is not there any more. */
export function isLostBookmark(error: WindowsError): boolean {
  return [
    numbers.ERROR_NOT_FOUND,
    numbers.ERROR_EVT_QUERY_RESULT_STALE,
    numbers.ERROR_EVT_QUERY_RESULT_INVALID_POSITION,
  ].some((code) => code === error.code);
}
