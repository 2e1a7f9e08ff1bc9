/** Starts Prometheus with the bundled rules and Alertmanager with the bundled configuration, where they are installed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { freePort } from './free-port.js';
import { onPath } from './on-path.js';

/** A program of the demo: its address once it answers, or why it is not there. */
export type Program = { readonly name: string; readonly url?: string; readonly note?: string };

export type Monitoring = { readonly programs: readonly Program[]; readonly stop: () => Promise<void> };

/** Where the rules say that the exporter and Grafana are; the demo puts the real addresses in their place. */
const addressInRules = 'http://localhost:10202';
const grafanaInRules = 'http://localhost:3000';

const bundled = new URL('../../../alerts/', import.meta.url);

export type MonitoringOptions = {
  /** Where Alertmanager posts its notifications; nobody is notified without. */
  readonly webhook?: string;
  /** Of loopback; by default the usual ones, or free ones where those are taken. */
  readonly prometheusPort?: number;
  readonly alertmanagerPort?: number;
  /** Where Grafana is; alerts have no link to a dashboard without. */
  readonly grafanaUrl?: string;
};

/** Both listen on loopback only and keep their data in the folder. What is not installed is named in a note. */
export async function startMonitoring(
  folder: string,
  exporterUrl: string,
  options: MonitoringOptions = {},
): Promise<Monitoring> {
  const children: ChildProcess[] = [];
  const run = async (name: string, wanted: Wanted): Promise<Program> => {
    const path = onPath(wanted.binaries);
    if (path === undefined) return { name, note: `not on PATH (${wanted.binaries.join(' or ')}): left out` };
    const output = openSync(join(folder, `${wanted.binaries[0] ?? name}.log`), 'a');
    const child = spawn(path, [...wanted.args], { stdio: ['ignore', output, output] });
    closeSync(output);
    children.push(child);
    const url = `http://127.0.0.1:${wanted.port}`;
    const trouble = await readiness(child, `${url}/-/ready`);
    return trouble === undefined ? { name, url } : { name, note: `${trouble}; its log is in ${folder}` };
  };
  const prometheusPort = options.prometheusPort ?? (await freePort(9090));
  const alertmanagerPort = options.alertmanagerPort ?? (await freePort(9093));
  const programs = await Promise.all([
    run(
      'Prometheus',
      await prometheus(folder, exporterUrl, prometheusPort, alertmanagerPort, await rulesFor(exporterUrl, options)),
    ),
    run('Alertmanager', await alertmanager(folder, alertmanagerPort, options)),
  ]);
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(end));
  };
  return { programs, stop };
}

type Wanted = { readonly binaries: readonly string[]; readonly port: number; readonly args: readonly string[] };

/** The bundled rules, with links that lead somewhere. */
async function rulesFor(exporterUrl: string, { grafanaUrl }: MonitoringOptions): Promise<string> {
  const bundledRules = await readFile(new URL('send-connector.rules.yml', bundled), 'utf8');
  const rules = bundledRules.replaceAll(addressInRules, () => exporterUrl);
  return grafanaUrl === undefined
    ? rules.replace(/^ *dashboard_url: .*\n/gm, '')
    : rules.replaceAll(grafanaInRules, () => grafanaUrl);
}

async function prometheus(
  folder: string,
  exporterUrl: string,
  port: number,
  alertmanagerPort: number,
  rules: string,
): Promise<Wanted> {
  await writeFile(join(folder, 'send-connector.rules.yml'), rules);
  const settings = {
    global: { scrape_interval: '5s', evaluation_interval: '5s' },
    rule_files: ['send-connector.rules.yml'],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanagerPort}`] }] }] },
    scrape_configs: [{ job_name: 'send-connector', static_configs: [{ targets: [new URL(exporterUrl).host] }] }],
  };
  const config = join(folder, 'prometheus.yml');
  await writeFile(config, stringify(settings));
  const data = join(folder, 'prometheus-data');
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${data}`, ...reachedAt(port)];
  return { binaries: ['prometheus'], port, args };
}

async function alertmanager(folder: string, port: number, { webhook }: MonitoringOptions): Promise<Wanted> {
  const example = parse(await readFile(new URL('alertmanager.yml', bundled), 'utf8')) as AlertmanagerConfig;
  // The routes and inhibitions as shipped, but nobody to notify unless told, and not the patience of a night shift.
  const settings = {
    ...example,
    templates: [fileURLToPath(new URL('templates/*.tmpl', bundled))],
    route: withoutPatience(example.route),
    receivers: example.receivers.map(({ name }) => ({
      name,
      ...(webhook !== undefined && { webhook_configs: [{ url: webhook, send_resolved: true }] }),
    })),
  };
  const config = join(folder, 'alertmanager.yml');
  await writeFile(config, stringify(settings));
  const data = join(folder, 'alertmanager-data');
  await mkdir(data);
  const args = [
    `--config.file=${config}`,
    `--storage.path=${data}`,
    ...reachedAt(port),
    // No cluster: without this it would listen on all addresses for others of its kind.
    '--cluster.listen-address=',
  ];
  // Debian's package has the longer name.
  return { binaries: ['alertmanager', 'prometheus-alertmanager'], port, args };
}

/** Without an address of its own each would write the name of the machine into its links, where it does not answer. */
function reachedAt(port: number): string[] {
  return [`--web.listen-address=127.0.0.1:${port}`, `--web.external-url=http://127.0.0.1:${port}`];
}

function withoutPatience(route: Route): Route {
  const routes = route.routes && { routes: route.routes.map(withoutPatience) };
  return { ...route, group_wait: '5s', group_interval: '10s', ...routes };
}

type Route = { readonly routes?: readonly Route[] } & Readonly<Record<string, unknown>>;
type AlertmanagerConfig = { route: Route; receivers: { name: string }[] };

/** Waits until the program says that it is ready. @returns what is wrong when it ends or takes more than a minute */
async function readiness(child: ChildProcess, url: string): Promise<string | undefined> {
  let ended: string | undefined;
  child.once('error', (error) => (ended = `could not be started: ${error.message}`));
  child.once('exit', (code, signal) => (ended ??= `ended at once (${signal ?? `exit code ${code ?? 'unknown'}`})`));
  for (let waited = 0; waited < 60_000; waited += 200) {
    await pause(200);
    if (ended !== undefined) return ended;
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return undefined;
  }
  return 'not ready after a minute';
}

/** SIGTERM, and SIGKILL for one that is still there ten seconds later. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(killer);
}
