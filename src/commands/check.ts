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
  const { sources, inventory, web } = loaded.config;
  const { wrong, doubts } = await checkSourceFiles(file, sources);
  if (wrong.length === 0) print(`${file}: valid (${factsOf(loaded.config)})\n`);
  for (const doubt of doubts) print(`  ${doubt}\n`);
  const named = [
    web.configFile,
    ...sources.map((source) => (source.type === 'http' ? source.webConfigFile : undefined)),
  ];
  const webFiles = [...new Set(named)].filter((each) => each !== undefined);
  const codes = [
    wrong.length === 0 ? 0 : complain(wrong, 1),
    ...(await Promise.all(webFiles.map(checkWebConfig))),
    inventory.file === undefined ? 0 : await checkInventory(inventory.file),
  ];
  return Math.max(...codes);
}

function factsOf({ sources, destinations, probe }: Config): string {
  const facts = [
    `${sources.length} source${sources.length === 1 ? '' : 's'}`,
    `${destinations.static.length} configured destination${destinations.static.length === 1 ? '' : 's'}`,
    `probing ${probe.enabled ? 'on' : 'off'}`,
  ];
  return facts.join(', ');
}

type Told = { readonly wrong: readonly string[]; readonly doubts: readonly string[] };

/** The secrets and certificates that sources name, each with its line: `config.yml:7: sources[2].tls.cert: ...`. */
async function checkSourceFiles(file: string, sources: Config['sources']): Promise<Told> {
  const found = await Promise.all(sources.map((source) => sourceFileFindings(source, Date.now())));
  if (found.flat().length === 0) return { wrong: [], doubts: [] };
  const { lineFinder } = await import('../config/yaml-file.js');
  const lineAt = await lineFinder(file);
  const told = found.flatMap((findings, index) =>
    findings.map(({ state, setting, text, remedy }) => {
      const place = `${file}:${lineAt(['sources', index, ...setting.split('.')])}: sources[${index}]`;
      const words = text.startsWith(setting) ? `${place}.${text}` : `${place}.${setting}: ${text}`;
      return { state, line: remedy === undefined ? words : `${words}; ${remedy}` };
    }),
  );
  const linesOf = (isWrong: boolean): string[] =>
    told.filter(({ state }) => (state === 'failed') === isWrong).map(({ line }) => line);
  return { wrong: linesOf(true), doubts: linesOf(false) };
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
