/** The command `check`: says whether a configuration file is valid, and if not, all that is wrong with it. */
import { loadConfig } from '../config.js';

/** @returns the exit code: 0 when the file is valid, else 1 */
export async function checkCommand(file: string): Promise<number> {
  const loaded = await loadConfig({ file });
  if (!loaded.ok) {
    process.stderr.write(`${loaded.mistakes.join('\n')}\n`);
    return 1;
  }
  const { sources, destinations, probe } = loaded.config;
  const facts = [
    `${sources.length} source${sources.length === 1 ? '' : 's'}`,
    `${destinations.static.length} configured destination${destinations.static.length === 1 ? '' : 's'}`,
    `probing ${probe.enabled ? 'on' : 'off'}`,
  ];
  process.stdout.write(`${file}: valid (${facts.join(', ')})\n`);
  return 0;
}
