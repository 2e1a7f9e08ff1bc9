/** What can be typed on the host of this exporter: its own command, and programs that talk SMTP or TLS. */
import path from 'node:path';
import { isSea } from 'node:sea';
import type { OwnHost } from '../model.js';
import { findProgram } from './network/run-program.js';

/** @param configFile what this exporter was configured with, which says what may be probed and how */
export async function findOwnHost(configFile: string | undefined): Promise<OwnHost> {
  const found = await Promise.all(['swaks', 'openssl'].map(async (name) => ((await findProgram(name)) ? name : [])));
  const configured = configFile === undefined ? [] : ['--config.file', path.resolve(configFile)];
  return { windows: process.platform === 'win32', self: ownCommand(), configured, programs: found.flat() };
}

/** As it was started: by the name that npm gives it, as one program, or as a script of Node. */
function ownCommand(): readonly string[] {
  if (isSea()) return [process.execPath];
  const script = process.argv[1] ?? '';
  if (path.basename(script) === name) return [name];
  return [process.execPath, path.resolve(script)];
}

const name = 'send-connector-exporter';
