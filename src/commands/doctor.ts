/** The command `doctor`: looks at everything the exporter needs, on the machine itself, and says what to do. */
import { setTimeout as pause } from 'node:timers/promises';
import { loadConfig, type Config, type ListenAddress } from '../config/config.js';
import { loadWebConfig } from '../config/web-config.js';
import { checkEhloNames } from '../health/ehlo-names.js';
import {
  clockFinding,
  findingsText,
  inventoryFindings,
  scrapeFinding,
  sourceFindings,
  type Finding,
} from '../health/findings.js';
import {
  checkEventLevel,
  checkOutbound,
  checkPorts,
  checkSecrets,
  checkStateFolder,
} from '../health/machine-checks.js';
import { checkPrograms } from '../health/program-checks.js';
import { followSources, type Looked } from '../events/sources/sources.js';
import { isTold, lookedAt } from '../wiring/configured-sources.js';
import { doubtsOf, loadInventory } from '../inventory/inventory.js';
import type { SendConnector } from '../model/connectors.js';
import type { SourceStatus } from '../model/status.js';
import { createTargets } from '../probes/targets.js';
import { overridesOf } from './flags.js';
import { sourceFileFindings } from './source-files.js';
import { firewallRule, reservation } from './service/network.js';
import { print } from './terminal.js';

/** Flags that are looked at here; it takes those of `serve` too, which reach the configuration through flags.ts. */
export type DoctorFlags = {
  readonly json?: boolean;
  readonly 'config.file'?: string;
};

/** Sources are read this long at most: enough to know the format, whatever their size. */
const readingMs = 5_000;

/** @returns the exit code: 1 when something failed, else 0 */
export async function doctorCommand(files: readonly string[], flags: DoctorFlags): Promise<number> {
  const findings = await examine(files, flags);
  const text = flags.json ? `${JSON.stringify(findings, undefined, 2)}\n` : findingsText(findings);
  print(text);
  return findings.some(({ state }) => state === 'failed') ? 1 : 0;
}

async function examine(files: readonly string[], flags: DoctorFlags): Promise<Finding[]> {
  const file = flags['config.file'];
  const loaded = await loadConfig({ file, overrides: overridesOf(flags, files) });
  if (!loaded.ok) return loaded.mistakes.map((text) => ({ check: 'configuration', state: 'failed', text }));
  const { config } = loaded;
  const now = Date.now();
  const { findings, ledger, owner } = await checkStateFolder(config.state.directory);
  const inventory = await readInventory(config.inventory.file);
  const { looked, refusals } = lookedAt(config, process.platform);
  const { sources, newestAt } = await readSources(looked.filter(({ kind }) => !kind.isPushed));
  const targets = createTargets({ configured: config.destinations.static });
  targets.setInventory(inventory.connectors);
  return [
    { check: 'configuration', state: 'ok', text: file ?? 'defaults and flags' },
    ...(await checkWeb(config.web.configFile)),
    ...findings,
    ...(config.sources.length === 0 ? [nothingToRead] : []),
    ...refusals.map((text): Finding => ({ check: 'source', state: 'failed', text })),
    ...sourceFindings(sources),
    ...(await checkListeners(config, owner !== undefined)),
    ...(await filesOfSources(config, now)),
    clockFinding(newestAt, now),
    await checkEventLevel(process.platform),
    ...inventoryFindings(inventory.status, { ...inventory, connectors: inventory.connectors.length }, now),
    ...(await checkPorts(config.web.listenAddresses, owner !== undefined)),
    ...(await checkWindowsPorts(config)),
    scrapeFinding(ledger?.scrapers ?? [], now),
    ...(await checkPrograms()),
    ...(await checkEhloNames(config, inventory.connectors)),
    ...(await checkOutbound(config, targets.list())),
  ];
}

const nothingToRead: Finding = {
  check: 'source',
  state: 'failed',
  text: 'nothing to read',
  remedy: 'name files or folders, or sources in the configuration',
};

/** What only Windows does with a port: gives it away as a dynamic one, or keeps other machines from it. */
async function checkWindowsPorts({ web }: Config): Promise<Finding[]> {
  if (process.platform !== 'win32') return [];
  const isLocal = ({ host }: ListenAddress): boolean =>
    host === 'localhost' || host === '::1' || (host ?? '').startsWith('127.');
  const findings: Finding[] = [];
  for (const address of web.listenAddresses.filter(({ port }) => port !== 0)) {
    findings.push(await reservation(address.port));
    if (!isLocal(address)) findings.push(await firewallRule([address.port]));
  }
  return findings;
}

async function checkWeb(file: string | undefined): Promise<Finding[]> {
  const check = 'web';
  if (file === undefined) {
    const remedy = '--web.config.file: examples/web-config.yml';
    return [{ check, state: 'skipped', text: 'plain HTTP, open to anyone who can reach the port', remedy }];
  }
  const loaded = await loadWebConfig(file);
  if (!loaded.ok) return loaded.mistakes.map((text) => ({ check, state: 'failed', text }));
  const { tls, users, doubts, secretFiles } = loaded.config;
  const text = `${file}: ${tls ? `TLS, ${tls.clientAuth}` : 'plain HTTP'}, ${users.size} users`;
  const doubtful = doubts.map((doubt): Finding => ({ check, state: 'warning', text: doubt }));
  return [{ check, state: 'ok', text }, ...doubtful, ...(await checkSecrets(secretFiles))];
}

/** Listeners for records that are pushed are not opened: the exporter that runs has them. */
async function checkListeners({ sources }: Config, isRunning: boolean): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const source of sources) {
    if (source.type !== 'http' && source.type !== 'lumberjack') continue;
    const { listenAddress } = source;
    findings.push(...(await checkPorts([listenAddress], isRunning, 'listenAddress of the source')));
    if (source.type === 'lumberjack') {
      if (source.tls) findings.push(...(await checkSecrets([source.tls.key])));
      continue;
    }
    const { webConfigFile, bearerTokenFile } = source;
    if (webConfigFile !== undefined) findings.push(...(await checkWeb(webConfigFile)));
    if (bearerTokenFile !== undefined) findings.push(...(await checkSecrets([bearerTokenFile])));
  }
  return findings;
}

async function filesOfSources(config: Config, now: number): Promise<Finding[]> {
  const each = await Promise.all(config.sources.map((source) => sourceFileFindings(source, now)));
  const secrets = config.sources.flatMap((source) =>
    source.type === 'kafka' ? [source.sasl?.passwordFile, source.sasl?.tokenFile, source.tls?.key] : [],
  );
  return [...each.flat(), ...(await checkSecrets(secrets.filter((file) => file !== undefined)))];
}

async function readInventory(file: string | undefined) {
  const status = { file, modifiedAt: undefined, problem: undefined };
  const none: readonly SendConnector[] = [];
  const nothing = { status, connectors: none, doubts: [] };
  if (file === undefined) return nothing;
  const loaded = await loadInventory(file);
  if (!loaded.ok) return { ...nothing, status: { ...status, problem: loaded.problem } };
  const { connectors, modifiedAt } = loaded;
  return { status: { ...status, modifiedAt }, connectors, doubts: doubtsOf(loaded) };
}

/** How the sources stand, and the time of their newest error or attempt (milliseconds since 1970 UTC). */
type Read = { readonly sources: readonly SourceStatus[]; readonly newestAt: number | undefined };

/** Reads what the exporter reads, and counts nothing. */
async function readSources(looked: readonly Looked[]): Promise<Read> {
  let newestAt: number | undefined;
  const silent = (): void => undefined;
  const followed = await followSources(looked, {
    checkpoints: () => [],
    post: ({ evidence }) => {
      for (const { at } of evidence) if (at !== undefined && at > (newestAt ?? 0)) newestAt = at;
      return Promise.resolve();
    },
    saved: () => Promise.resolve(),
    listen: () => Promise.reject(new Error('nothing is listened for here')),
    knownConnectors: () => [],
    sessions: () => [],
    connectorOfGuid: () => undefined,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    now: Date.now,
  });
  for (let waited = 0; waited < readingMs && !followed.caughtUp(); waited += 50) await pause(50);
  const statuses = followed.statuses();
  await followed.stop();
  return { sources: statuses.filter(isTold), newestAt };
}
