/** The command `check`: says whether configuration files are valid, and if not, all that is wrong with them. */
import { type Config, loadConfig } from '../config/config.js';
import { loadWebConfig } from '../config/web-config.js';
import { doubtsOf, loadInventory } from '../inventory/inventory.js';
import { sourceFileFindings } from './source-files.js';
import { complain, print } from './terminal.js';

/** @returns the exit code: 0 when the file, and the web configuration and inventory it names, are valid, else 1 */
export async function checkCommand(file: string): Promise<number> {
  const loaded = await loadConfig({ file });
  if (!loaded.ok) {
    return complain(loaded.mistakes, 1);
  }
  const { sources, destinations, probe } = loaded.config;
  const facts = [
    `${sources.length} source${sources.length === 1 ? '' : 's'}`,
    `${destinations.static.length} configured destination${destinations.static.length === 1 ? '' : 's'}`,
    `probing ${probe.enabled ? 'on' : 'off'}`,
  ];
  print(`${file}: valid (${facts.join(', ')})\n`);
  const { inventory, web } = loaded.config;
  const codes = [
    web.configFile === undefined ? 0 : await checkWebConfig(web.configFile),
    ...(await Promise.all(sources.map((source) => checkSource(source, loaded.config)))),
    inventory.file === undefined ? 0 : await checkInventory(inventory.file),
  ];
  return Math.max(...codes);
}

/** The web configuration of a listener for records, and the secrets and certificates that a source names. */
async function checkSource(source: Config['sources'][number], config: Config): Promise<number> {
  const ofWeb =
    source.type === 'http' && source.webConfigFile !== undefined ? await checkWebConfig(source.webConfigFile) : 0;
  const found = await sourceFileFindings(source, config, Date.now());
  const wrong = found.filter(({ state }) => state === 'failed');
  for (const { text } of found.filter((each) => !wrong.includes(each))) print(`  ${text}\n`);
  const lines = wrong.map(({ text, remedy }) => (remedy === undefined ? text : `${text}; ${remedy}`));
  return wrong.length === 0 ? ofWeb : complain(lines, 1);
}

async function checkWebConfig(file: string): Promise<number> {
  const loaded = await loadWebConfig(file);
  if (!loaded.ok) {
    return complain(loaded.mistakes, 1);
  }
  const { tls, users, doubts } = loaded.config;
  const facts = [tls ? `TLS, ${tls.clientAuth}` : 'plain HTTP', `${users.size} user${users.size === 1 ? '' : 's'}`];
  print(`${file}: valid (${facts.join(', ')})\n`);
  for (const doubt of doubts) print(`  ${doubt}\n`);
  return 0;
}

async function checkInventory(file: string): Promise<number> {
  const loaded = await loadInventory(file);
  if (!loaded.ok) {
    return complain([loaded.problem], 1);
  }
  const { connectors, leftOut } = loaded;
  const hosts = connectors.flatMap(({ enabled, smartHosts }) => (enabled ? smartHosts : []));
  const facts = `${connectors.length} Send connectors, ${new Set(hosts).size} smart hosts of enabled ones`;
  const verdict = leftOut.length === 0 ? 'valid' : 'usable, but not all of it';
  print(`${file}: ${verdict} (${facts})\n`);
  for (const { about, message } of doubtsOf(loaded)) print(`  ${about}: ${message}\n`);
  return 0;
}
