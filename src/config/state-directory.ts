/** Where the state is kept when nobody says where. */
import { accessSync, constants, existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const folder = 'send-connector-exporter';

/**
 * The folder for counts and positions: what systemd hands us, a machine-wide folder when we may write there, else one
 * of the user, so that a first try needs neither root nor a setting. It need not exist yet.
 */
export function defaultStateDirectory(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): string {
  // Not beside the configuration, which a service must not be able to write.
  if (platform === 'win32') return join(env.ProgramData ?? 'C:\\ProgramData', folder, 'state');
  const fromSystemd = env.STATE_DIRECTORY?.split(':')[0];
  if (fromSystemd) return fromSystemd;
  const machineWide = join('/var/lib', folder);
  if (isWritable(existsSync(machineWide) ? machineWide : dirname(machineWide))) return machineWide;
  return join(env.XDG_STATE_HOME ?? join(env.HOME ?? homedir(), '.local', 'state'), folder);
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
