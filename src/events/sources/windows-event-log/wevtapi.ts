/** The Windows event log through wevtapi.dll: only calls and buffers, no decisions. Loaded only in the reader. */
import path from 'node:path';
import { loadKoffi } from '../../../runtime/native.js';
import type { LogApi, Subscription } from './log-api.js';
import { errorNumbers, isEnd, WindowsError } from './windows-error.js';

// Values of winevt.h; a test compares them with the header.
export const flags = {
  EvtQueryChannelPath: 0x1,
  EvtQueryReverseDirection: 0x200,
  EvtRenderEventXml: 1,
  EvtRenderBookmark: 2,
  EvtSubscribeStartAtOldestRecord: 2,
  EvtSubscribeStartAfterBookmark: 3,
  EvtSubscribeStrict: 0x10000,
} as const;

/** An event is at most 64 KiB; its XML is longer, but not by this much. */
const maxRenderedBytes = 16 * 1024 * 1024;

type Handle = bigint | null;
type Text = string;
type Calls = {
  readonly EvtSubscribe: (...given: [null, Handle, Text, Text, Handle, null, null, number]) => Handle;
  readonly EvtNext: (...given: [Handle, number, BigUint64Array, number, number, Uint32Array]) => number;
  readonly EvtRender: (...given: [null, Handle, number, number, Buffer, Uint32Array, Uint32Array]) => number;
  readonly EvtCreateBookmark: (xml: Text | null) => Handle;
  readonly EvtUpdateBookmark: (bookmark: Handle, event: Handle) => number;
  readonly EvtQuery: (session: null, channel: Text, query: Text, flags: number) => Handle;
  readonly EvtClose: (handle: Handle) => number;
  readonly CreateEventW: (security: null, manual: number, signalled: number, name: null) => Handle;
  readonly ResetEvent: (handle: Handle) => number;
  readonly CloseHandle: (handle: Handle) => number;
  readonly waitFor: (handle: Handle, ms: number) => Promise<void>;
  readonly GetLastError: () => number;
};

/** @throws when koffi or the library cannot be loaded */
export async function openWevtapi(): Promise<LogApi> {
  const calls = await loadCalls();
  return {
    subscribe: (channel, query, bookmark) => subscribe(calls, { channel, query, bookmark }),
    newest: (channel, query) => newest(calls, channel, query),
  };
}

async function loadCalls(): Promise<Calls> {
  const koffi = await loadKoffi();
  // By its full path: a library of that name beside the program or in the working folder is not the one of Windows.
  const system = path.win32.join(process.env.SystemRoot ?? 'C:\\Windows', 'System32');
  const events = koffi.load(path.win32.join(system, 'wevtapi.dll'));
  const kernel = koffi.load('kernel32.dll');
  const wait = kernel.func('uint32 __stdcall WaitForSingleObject(void *, uint32)');
  return {
    EvtSubscribe: events.func(
      'void * __stdcall EvtSubscribe(void *, void *, str16, str16, void *, void *, void *, uint32)',
    ),
    EvtNext: events.func('int __stdcall EvtNext(void *, uint32, void *, uint32, uint32, void *)'),
    EvtRender: events.func('int __stdcall EvtRender(void *, void *, uint32, uint32, void *, void *, void *)'),
    EvtCreateBookmark: events.func('void * __stdcall EvtCreateBookmark(str16)'),
    EvtUpdateBookmark: events.func('int __stdcall EvtUpdateBookmark(void *, void *)'),
    EvtQuery: events.func('void * __stdcall EvtQuery(void *, str16, str16, uint32)'),
    EvtClose: events.func('int __stdcall EvtClose(void *)'),
    CreateEventW: kernel.func('void * __stdcall CreateEventW(void *, int, int, void *)'),
    ResetEvent: kernel.func('int __stdcall ResetEvent(void *)'),
    CloseHandle: kernel.func('int __stdcall CloseHandle(void *)'),
    // The wait alone is given to a thread, where the last error would be lost: all other calls answer at once.
    waitFor: (handle: Handle, ms: number) =>
      new Promise<void>((resolve) => {
        wait.async(handle, ms, () => {
          resolve();
        });
      }),
    GetLastError: kernel.func('uint32 __stdcall GetLastError()'),
  };
}

/** @throws WindowsError when the call gave no handle */
function handleOf(calls: Calls, name: string, handle: Handle): Handle {
  if (!handle) throw new WindowsError(name, calls.GetLastError());
  return handle;
}

type Wanted = { readonly channel: string; readonly query: string; readonly bookmark: string | undefined };

function subscribe(calls: Calls, { channel, query, bookmark: after }: Wanted): Subscription {
  const signal = handleOf(calls, 'CreateEventW', calls.CreateEventW(null, 1, 1, null));
  const open: Handle[] = [];
  const close = (): void => {
    for (const handle of open.reverse()) calls.EvtClose(handle);
    calls.CloseHandle(signal);
  };
  try {
    const start =
      after === undefined
        ? flags.EvtSubscribeStartAtOldestRecord
        : flags.EvtSubscribeStartAfterBookmark | flags.EvtSubscribeStrict;
    const bookmark = handleOf(calls, 'EvtCreateBookmark', calls.EvtCreateBookmark(after ?? null));
    open.push(bookmark);
    const from = after === undefined ? null : bookmark;
    const subscribed = calls.EvtSubscribe(null, signal, channel, query, from, null, null, start);
    const subscription = handleOf(calls, 'EvtSubscribe', subscribed);
    open.push(subscription);
    return {
      next: (count) => next(calls, { subscription, bookmark, count }),
      bookmark: () => render(calls, bookmark, flags.EvtRenderBookmark),
      wait: (ms) => calls.waitFor(signal, ms),
      reset: () => void calls.ResetEvent(signal),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

type Request = { readonly subscription: Handle; readonly bookmark: Handle; readonly count: number };

function next(calls: Calls, { subscription, bookmark, count }: Request): (string | undefined)[] {
  const events = take(calls, subscription, count);
  try {
    const records = events.map((event) => renderedEvent(calls, event));
    const last = events.at(-1);
    if (last !== undefined && !calls.EvtUpdateBookmark(bookmark, last)) {
      throw new WindowsError('EvtUpdateBookmark', calls.GetLastError());
    }
    return records;
  } finally {
    for (const event of events) calls.EvtClose(event);
  }
}

function take(calls: Calls, resultSet: Handle, count: number): bigint[] {
  const events = new BigUint64Array(count);
  const returned = new Uint32Array(1);
  if (!calls.EvtNext(resultSet, count, events, 0, 0, returned)) throw new WindowsError('EvtNext', calls.GetLastError());
  return [...events.subarray(0, returned[0])];
}

/** @returns undefined for an event that Windows itself cannot show */
function renderedEvent(calls: Calls, event: Handle): string | undefined {
  try {
    return render(calls, event, flags.EvtRenderEventXml);
  } catch (error) {
    // Without the service no event can be shown: that is no fault of this one.
    const passing: readonly number[] = [
      errorNumbers.RPC_S_SERVER_UNAVAILABLE,
      errorNumbers.RPC_S_CALL_CANCELLED,
      errorNumbers.ERROR_INVALID_HANDLE,
    ];
    if (!(error instanceof WindowsError) || passing.includes(error.code)) throw error;
    return undefined;
  }
}

let buffer = Buffer.alloc(16 * 1024);

/** Windows says how much room it needs when there is too little. */
function render(calls: Calls, fragment: Handle, how: number): string {
  const used = new Uint32Array(1);
  const count = new Uint32Array(1);
  for (;;) {
    if (calls.EvtRender(null, fragment, how, buffer.length, buffer, used, count)) {
      return buffer.toString('utf16le', 0, used[0]).replace(/(?<!\0)\0+$/, '');
    }
    const code = calls.GetLastError();
    const needed = used[0] ?? 0;
    const isTooSmall = code === errorNumbers.ERROR_INSUFFICIENT_BUFFER && needed > buffer.length;
    if (!isTooSmall || needed > maxRenderedBytes) throw new WindowsError('EvtRender', code);
    buffer = Buffer.alloc(needed);
  }
}

function newest(calls: Calls, channel: string, query: string): string | undefined {
  const how = flags.EvtQueryChannelPath | flags.EvtQueryReverseDirection;
  const results = handleOf(calls, 'EvtQuery', calls.EvtQuery(null, channel, query, how));
  try {
    const [event] = take(calls, results, 1);
    if (event === undefined) return undefined;
    try {
      return renderedEvent(calls, event);
    } finally {
      calls.EvtClose(event);
    }
  } catch (error) {
    if (error instanceof WindowsError && isEnd(error)) return undefined;
    throw error;
  } finally {
    calls.EvtClose(results);
  }
}
