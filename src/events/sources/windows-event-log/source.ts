/** Live logs of Windows as a kind of source: a channel each. */
import os from 'node:os';
import * as z from 'zod';
import { list, mapping, nonEmpty, text } from '../../../config/forms.js';
import type { SourceKind } from '../source.js';

const type = 'windows-event-log';
const settings = mapping({
  type: z.literal(type),
  channels: list(text('the name of a channel', nonEmpty), 'a list of channels', 1).prefault(['Application']),
});

export const windowsEventLog: SourceKind<typeof settings> = {
  type,
  settings,
  parts: (given) => {
    const channels = new Set(given.flatMap((each) => each.channels));
    return [...channels].map((name) => ({ name, server: os.hostname() }));
  },
  /** What is forwarded may come from anywhere. */
  onlyServer: ({ channels }) => (channels.some((each) => /^forwardedevents$/i.test(each)) ? undefined : os.hostname()),
  refusal: (platform) =>
    platform === 'win32'
      ? undefined
      : 'sources: windows-event-log is read on Windows only; on this machine read a file that a shipper writes ' +
        '(type: file; examples/shippers shows how), or run the exporter on the Windows server',
  follow: async (parts, reading) => {
    const { followWindowsLogs } = await import('./windows-event-log.js');
    return followWindowsLogs({ ...reading, channels: parts.map(({ name }) => name) });
  },
};
