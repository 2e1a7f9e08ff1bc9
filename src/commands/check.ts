/** The command `check`: says whether configuration files are valid, and if not, all that is wrong with them. */
import { loadConfig } from '../config.js';
import { loadWebConfig } from '../config/web-config.js';

/** @returns the exit code: 0 when the file and the web configuration it names are valid, else 1 */
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
  const { configFile } = loaded.config.web;
  return configFile === undefined ? 0 : checkWebConfig(configFile);
}

async function checkWebConfig(file: string): Promise<number> {
  const loaded = await loadWebConfig(file);
  if (!loaded.ok) {
    process.stderr.write(`${loaded.mistakes.join('\n')}\n`);
    return 1;
  }
  const { tls, users } = loaded.config;
  const facts = [tls ? `TLS, ${tls.clientAuth}` : 'plain HTTP', `${users.size} user${users.size === 1 ? '' : 's'}`];
  process.stdout.write(`${file}: valid (${facts.join(', ')})\n`);
  return 0;
}
