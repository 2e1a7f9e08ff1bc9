/** Start, stop and fatal errors of the service in the Application log of Windows. */
import { loadKoffi, wideText } from '../../runtime/native.js';

/** Numbers of our events, which are kept: people filter by them. */
const serviceEvents = { started: 1, stopped: 2, failed: 3 } as const;

// Values of winnt.h; a test compares them with the header.
export const eventNumbers = { EVENTLOG_ERROR_TYPE: 0x1, EVENTLOG_INFORMATION_TYPE: 0x4 } as const;

/** A message of the log has at most 31,839 characters. */
const longest = 30_000;

export type ServiceEvents = (event: keyof typeof serviceEvents, text: string) => void;

/** @returns a function that never fails: what the log does not take stands in the log file */
export async function openEventLog(source: string): Promise<ServiceEvents> {
  const koffi = await loadKoffi();
  const library = koffi.load('advapi32.dll');
  const register = library.func('void * __stdcall RegisterEventSourceW(void *, str16)');
  const report = library.func(
    'int __stdcall ReportEventW(void *, uint16, uint16, uint32, void *, uint16, uint32, void *, void *)',
  );
  const handle = register(null, source) as bigint | null;
  return (event, text) => {
    if (!handle) return;
    const type = event === 'failed' ? eventNumbers.EVENTLOG_ERROR_TYPE : eventNumbers.EVENTLOG_INFORMATION_TYPE;
    // The text stands behind the pointer to it in the same buffer, so that it lives as long.
    const strings = Buffer.concat([Buffer.alloc(8), wideText(text.slice(0, longest))]);
    strings.writeBigUInt64LE(koffi.address(strings) + 8n);
    report(handle, type, 0, serviceEvents[event], null, 1, 0, strings, null);
  };
}
