/** What can be typed on the host of this exporter: its own command, and programs that talk SMTP or TLS. */
import path from 'node:path';
import { isSea } from 'node:sea';
import type { OwnHost } from '../model/status.js';
import { findProgram } from './network/run-program.js';

/** What says what may be probed, and how: the configuration file, and the flags that stand above it, as they were given. */
export type ProbeSettings = {
  readonly file?: string | undefined;
  readonly allow?: readonly string[] | undefined;
  readonly ports?: readonly string[] | undefined;
};

/** @param settings with which this exporter runs: `probe` is offered with the same, or it would visit what this one may not */
export async function findOwnHost(settings: ProbeSettings): Promise<OwnHost> {
  const found = await Promise.all(['swaks', 'openssl'].map(async (name) => ((await findProgram(name)) ? name : [])));
  const configured = optionsOf(settings);
  return { windows: process.platform === 'win32', self: ownCommand(), configured, programs: found.flat() };
}

function optionsOf({ file, allow = [], ports = [] }: ProbeSettings): string[] {
  return [
    ...(file === undefined ? [] : ['--config.file', path.resolve(file)]),
    ...allow.flatMap((network) => ['--probe.allow', network]),
    ...(ports.length === 0 ? [] : ['--probe.ports', ports.join(',')]),
  ];
}

/** As it was started: by the name that npm gives it, as one program, or as a script of Node. */
function ownCommand(): readonly string[] {
  if (isSea()) return [process.execPath];
  const script = process.argv[1] ?? '';
  if (path.basename(script) === name) return [name];
  return [process.execPath, path.resolve(script)];
}

const name = 'send-connector-exporter';
