/** Whether the programs that visits call are on this machine: ping, and one that shows the path. */
import type { Finding } from './findings.js';
import { pathPrograms } from '../probes/network/path-programs.js';
import { findProgram } from '../probes/network/run-program.js';

/** @param isWindows whether to look for the programs of Windows, all of which it brings along */
export async function checkPrograms(
  find: typeof findProgram = findProgram,
  isWindows = process.platform === 'win32',
): Promise<Finding[]> {
  const ofWindows = (program: string): string =>
    `restore ${program}.exe in System32, which is on every PATH of Windows`;
  const ping = await find('ping');
  const paths: string[] = [];
  for (const { name, windows } of pathPrograms)
    if (windows === isWindows && (await find(name)) !== undefined) paths.push(name);
  return [
    ping === undefined
      ? {
          check: 'ping',
          state: 'warning',
          text: 'not installed: pages show no packet loss and no round-trip time',
          remedy: isWindows ? ofWindows('ping') : 'apt install iputils-ping',
        }
      : { check: 'ping', state: 'ok', text: ping },
    paths.length === 0
      ? {
          check: 'path',
          state: 'warning',
          text: 'no program that traces the path is installed: pages show no hops',
          remedy: isWindows ? ofWindows('tracert') : 'apt install mtr-tiny, iputils-tracepath or traceroute',
        }
      : { check: 'path', state: 'ok', text: paths.join(', ') },
  ];
}
