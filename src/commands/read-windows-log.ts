/** The hidden command that reads one live Windows log for the exporter: requests on standard input, records on standard output. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { ReaderLine, ReaderRequest } from '../events/sources/windows-event-log/log-api.js';
import { pump, type Timing } from '../events/sources/windows-event-log/pump.js';
import { openWevtapi } from '../events/sources/windows-event-log/wevtapi.js';

/** Runs until standard input ends: the exporter wants it so, or is gone. */
export async function readWindowsLogCommand(): Promise<number> {
  let ended = false;
  const input = createInterface({ input: process.stdin });
  input.on('close', () => (ended = true));
  const [first] = (await once(input, 'line')) as [string];
  const request = JSON.parse(first) as ReaderRequest & { readonly timing?: Partial<Timing> };
  // Nobody is left to be told anything.
  process.stdout.on('error', () => process.exit(1));
  try {
    const api = await openWevtapi();
    await pump({ ...request, api, tell, stopped: () => ended, sleep: pause, clock: () => performance.now() });
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }

  /** In short pieces, so that it ends soon when it is to end. */
  async function pause(ms: number): Promise<void> {
    for (let left = ms; left > 0 && !ended; left -= 250) await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Waits while the exporter has not taken what was told before. */
async function tell(line: ReaderLine): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(line)}\n`)) await once(process.stdout, 'drain');
}
