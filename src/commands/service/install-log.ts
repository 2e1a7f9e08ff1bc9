/** The output of installations in a file, because an installer has no terminal. */
import path from 'node:path';
import { openLogFile } from '../../runtime/log-file.js';
import { programData } from '../../runtime/native.js';
import { serviceFolders } from './definition.js';

const size = { largest: 256 * 1024, kept: 1 };

/** Adds what was done, or why not, to `install.log`. Where nothing can be written it stands on the terminal only. */
export async function noteInstallation(text: string): Promise<void> {
  const file = path.win32.join(serviceFolders(await programData()).logs, 'install.log');
  try {
    const log = openLogFile(file, size);
    log.write(`${new Date().toISOString()} ${process.argv.slice(2).join(' ')}\r\n${text.replaceAll('\n', '\r\n')}\r\n`);
    log.close();
  } catch {
    // No right to write there, say: who started it in a terminal sees the text itself.
  }
}
