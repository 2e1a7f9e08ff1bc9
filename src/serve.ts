/** The wiring of the exporter, in the order in which things happen. The only place that knows all parts. */
import os from 'node:os';
import { dirname } from 'node:path';
import { watchBacklog } from './health/backlog.js';
import { createBoard } from './board/board.js';
import { watchClock } from './health/clock.js';
import type { Config, Loaded } from './config/config.js';
import { eachDiagnosis } from './diagnosis/diagnosis.js';
import { drillFile, drillSource, isDrill } from './events/sources/drills.js';
import { endpointOf } from './model/endpoint.js';
import { followSources } from './events/sources/sources.js';
import type { FileSource, Followed } from './events/sources/files/files.js';
import { expectedRows } from './inventory/expected-rows.js';
import { implicitNames } from './model/implicit-connectors.js';
import { ownFullName } from './health/host-name.js';
import { openInventory, type Inventory } from './inventory/inventory.js';
import type { Export } from './inventory/export-file.js';
import { serverLabelOf } from './model/label.js';
import { openLedger, type Ledger } from './ledger/ledger.js';
import type { Log } from './runtime/log.js';
import { makeFolder } from './runtime/make-folder.js';
import { createMetrics, type MetricsOptions } from './metrics/metrics.js';
import type { ProbeResult, SourceStatus } from './model/model.js';
import { endInSteps } from './runtime/process-end.js';
import { findOwnHost, type ProbeSettings } from './probes/own-host.js';
import { createPolicy, type Policy } from './probes/policy.js';
import { openProber, startProbing, type Probing } from './probes/probing.js';
import { createTargets, type Targets } from './probes/targets.js';
import { timeKeeper, type Clocks } from './runtime/noted-time.js';
import { createReloader, type Reloader, type ReloadStatus } from './config/reload.js';
import type { DeclaredName } from './ledger/server-names.js';
import { createStanding } from './health/readiness.js';
import { exporterVersion } from './runtime/version.js';
import { openAccess } from './web/http/access.js';
import { commandForAlert } from './web/parts/next-command.js';
import { startWeb } from './web/http/server.js';

export type Exporter = {
  /** Where it listens, as URLs. */
  readonly addresses: readonly string[];
  /** Reads configuration and web configuration again; the log and the metrics say how it went. */
  readonly reload: () => Promise<unknown>;
  /** Ends within ten seconds, whatever hangs. @returns what did not end, a sentence each */
  readonly stop: () => Promise<readonly string[]>;
};

/** Where the configuration came from, for reading it again. */
export type Origin = {
  readonly file: string | undefined;
  readonly load: () => Promise<Loaded>;
  /** Flags of probing, as they were given. */
  readonly probeFlags?: Pick<ProbeSettings, 'allow' | 'ports'>;
  readonly inTests?: Pick<MetricsOptions, 'holdsBirths'>;
};

const unchanging = (config: Config): Origin => ({
  file: undefined,
  load: () => Promise.resolve({ ok: true, config }),
});

const clocks: Clocks = { now: Date.now, steady: () => performance.now() };

/** What reads and probes; closed and opened anew with a changed configuration. */
type Inlets = {
  policy: Policy;
  /** In force. */
  config?: Config;
  inventory?: Inventory;
  followed?: Followed;
  probing?: Probing | undefined;
  /** Called when a server is met for the first time. */
  metServer?: () => void;
};

type Parts = {
  readonly ledger: Ledger;
  readonly board: ReturnType<typeof createBoard>;
  readonly targets: Targets;
  readonly log: Log;
};

/**
 * Starts the exporter: books first, then the web, so that what was saved is shown before the first read, then the inlets.
 * @throws when the state folder cannot be used or an address cannot be listened on; then nothing is left running
 */
export async function serve(config: Config, log: Log, origin: Origin = unchanging(config)): Promise<Exporter> {
  tellSources(config, log);
  const access = await openAccess(config.web.configFile, log);
  const { externalUrl, listenAddresses: listen, telemetryPath } = config.web;
  const targets = createTargets({ limit: config.destinations.limit });
  const inlets: Inlets = { policy: createPolicy(config.probe) };
  const ledger = await openBooks(config, log, targets, inlets);
  const board = createBoard();
  const sources = sourcesIn(inlets);
  const parts: Parts = { ledger, board, targets, log };
  const reloader = createReloader({
    ...origin,
    started: config,
    apply: (wanted) => changeOver(inlets, wanted, parts),
    reloadAccess: async () => ((await access.reload()) ? undefined : access.problem()),
    ...{ now: Date.now, log },
  });
  const clock = watchClock({ ...clocks, log });
  const backlog = watchBacklog({ sources, steady: clocks.steady, log });
  const standing = createStanding({
    stateDirectory: config.state.directory,
    ...{ ledger, sources, reload: statusOf(reloader), webProblem: access.problem, clockJump: clock.notice },
    caughtUp: () => inlets.followed?.caughtUp() ?? false,
    inventory: () => inlets.inventory,
  });
  const told = await explanation(inlets, parts, origin);
  const metrics = createMetrics({
    ...{ ledger, board, sources, diagnoses: told.diagnoses, reload: standing.reloaded },
    ...{ nextCommand: told.nextCommand, probeQueueLength: () => inlets.probing?.queueLength() ?? 0 },
    destinationsLimit: config.destinations.limit,
    connectors: () => inlets.inventory?.connectors() ?? [],
    inventoryModifiedAt: () => inlets.inventory?.status().modifiedAt,
    ...{ clockJumps: clock.jumps, now: Date.now, version: exporterVersion(), ...origin.inTests },
  });
  const web = await startWeb({
    ...{ listen, access, telemetryPath, externalUrl, version: exporterVersion() },
    ...{ ledger, board, sources, metrics, ...told, ...standing, targets: targets.list, backlog: backlog.status },
    probe: (destination: string, waitMs: number) => ask(inlets, destination, waitMs),
    ...{ reload: reloader.reload, now: Date.now, log },
  }).catch(async (error: unknown) => {
    for (const each of [access, clock, backlog]) each.close();
    await Promise.all([ledger.close(), reloader.close()]);
    throw error;
  });
  for (const url of web.addresses) log.info('listening', { url });
  await changeOver(inlets, config, parts);
  return {
    addresses: web.addresses,
    reload: reloader.reload,
    stop: async () => {
      for (const each of [access, clock, backlog]) each.close();
      return endInSteps([
        { what: 'a reload', ms: 500, run: reloader.close },
        { what: 'reading and probing', ms: 3_000, run: () => closeInlets(inlets) },
        { what: 'the last save of the ledger', ms: 3_000, run: ledger.close },
        { what: 'the web server', ms: 2_500, run: web.close },
      ]);
    },
  };
}

function ask({ probing }: Inlets, destination: string, waitMs: number): Promise<ProbeResult | undefined> {
  return probing?.ask(destination, waitMs) ?? Promise.resolve(undefined);
}

/** Why something fails, why something is not looked at, and where a command can be typed. */
async function explanation(inlets: Inlets, { ledger, board }: Parts, origin: Origin) {
  const own = await findOwnHost({ file: origin.file, ...origin.probeFlags });
  const notProbed = (destination: string): string | undefined => whyNotProbed(inlets.policy, destination);
  const diagnoses = (most?: number) =>
    eachDiagnosis(ledger.rows(), board.entries(), { now: Date.now(), notProbed, most, recent: ledger.recent() });
  const nextCommand: MetricsOptions['nextCommand'] = (pair) =>
    commandForAlert(pair, board.entry(pair.destination)?.latest.host);
  return { notProbed, diagnoses, nextCommand, configuration: () => inlets.config, ownHost: () => own };
}

async function closeInlets({ inventory, followed, probing }: Inlets): Promise<void> {
  inventory?.close();
  await Promise.all([followed?.stop(), probing?.stop()]);
}

/** Reads and probes as the configuration says from now on. @throws when it cannot; then all is as before */
async function changeOver(inlets: Inlets, config: Config, parts: Parts): Promise<void> {
  const { ledger, targets, board, log } = parts;
  refuseForeignSources(config, process.platform);
  const policy = createPolicy(config.probe);
  // Opened first, because it may fail: nothing is probed twice, for it begins when the one before has ended.
  const prober = config.probe.enabled ? await openProber(config.probe, policy) : undefined;
  await closeInlets(inlets);
  Object.assign(inlets, { policy, config });
  targets.setConfigured(config.destinations.static);
  const expectation = keepExpecting(config, inlets, parts);
  inlets.metServer = expectation.renewSoon;
  const host = await ownFullName();
  inlets.inventory = await openInventory(config.inventory.file, log, (connectors, servers) => {
    knowServers(ledger, config, { connectors, servers, host });
    targets.setInventory(connectors);
    expectation.renew(connectors, servers);
  });
  // Watched from the start; without it drills do not come in, and nothing else is lost.
  await makeFolder(dirname(drillFile(config.state.directory))).catch(() => undefined);
  inlets.followed = followSources({
    sources: fileSources(config),
    channels: channelsOf(config),
    checkpoints: ledger.checkpoints,
    forget: ledger.forget,
    post: ledger.post,
    knownConnectors: () => knownConnectors(ledger, inlets.inventory),
    sessions: ledger.sessions,
    connectorOfGuid: (guid) => inlets.inventory?.nameOf(guid),
    portOfGuid: (guid) => inlets.inventory?.connectors().find((each) => each.guid === guid)?.port,
    nameOfServer: ledger.nameOfServer,
    isListed: (name) => inlets.inventory?.connectors().some((each) => each.name === name) ?? false,
    log: withoutDrills(log),
    now: clocks.now,
    steady: clocks.steady,
  });
  inlets.probing =
    prober &&
    startProbing({
      ...{
        config: config.probe,
        prober,
        targets,
        log,
        latest: board.latest,
        postPing: board.postPing,
        postPath: board.postPath,
      },
      post: (result) => {
        board.post(result);
        ledger.visited(result);
        if (result.origin === 'inventory') expectation.renew();
      },
    });
}

/** What others than records tell of the names of servers: before a record is read that may have another of them. */
function knowServers(
  ledger: Ledger,
  { sources }: Config,
  { connectors, servers, host }: Pick<Export, 'connectors' | 'servers'> & { readonly host: DeclaredName | undefined },
): void {
  const declared = servers.flatMap(({ shortName: short, name: full }) =>
    short === undefined ? [] : [{ short, full }],
  );
  const set = sources.flatMap((source) => (source.type === 'file' ? (source.server ?? []) : []));
  const named = [
    ...set,
    ...connectors.flatMap(({ sourceServers }) => sourceServers),
    ...servers.map(({ name }) => name),
  ];
  // The host knows its own name best.
  const others = declared.filter(({ short }) => short !== host?.short);
  ledger.knowServers(named.map(serverLabelOf), host ? [...others, host] : others);
}

/**
 * Has the ledger show at zero what the inventory expects: anew when the inventory changes, and when a probe has resolved a
 * smart host or a record has told the full name of a server.
 */
function keepExpecting(config: Config, inlets: Inlets, { ledger, board }: Parts) {
  let last = '';
  let isDue = false;
  const expectation = {
    renew: (connectors = inlets.inventory?.connectors() ?? [], servers = inlets.inventory?.servers() ?? []): void => {
      if (connectors.length === 0 && last === '[]') return;
      // What records say goes before what the inventory says; a row that is only expected says nothing.
      const seen = ledger.rows().filter((row) => row.lastErrorAt !== undefined || row.lastAttemptAt !== undefined);
      const rows = expectedRows({
        connectors,
        knownServers: [...new Set([...servers, ...seen.map(({ server: name }) => ({ name }))].map(({ name }) => name))],
        nameOfServer: ledger.nameOfServer,
        ownServers: ownServers(config),
        addressesOf: (destination) => board.entry(destination)?.latest.facts.addresses ?? [],
      });
      const text = JSON.stringify(rows);
      if (text !== last) ledger.expect(rows);
      last = text;
    },
    /** Once for all servers that are met in one go, after what is being done is done. */
    renewSoon: (): void => {
      if (isDue) return;
      isDue = true;
      setImmediate(() => {
        isDue = false;
        expectation.renew();
      });
    },
  };
  return expectation;
}

async function openBooks(config: Config, log: Log, targets: Targets, inlets: Inlets): Promise<Ledger> {
  const servers = new Set<string>();
  const ledger = await openLedger({
    directory: config.state.directory,
    ...clocks,
    limit: config.destinations.limit,
    forgetAfterMs: config.destinations.forgetAfter,
    readingHistory: () => inlets.followed?.readingHistory() ?? true,
    onPublished: (row) => {
      // A destination that everything reaches is nobody to visit.
      if (row.lastErrorAt !== undefined && !isDrill(row.connector))
        targets.observe(row.destination, row.lastErrorAt, row.connector);
      if (servers.size !== servers.add(row.server).size) inlets.metServer?.();
    },
    onServerRenamed: (name, fullName) => {
      log.info('a server goes by its full name from now on, and its counts go with it', { name, full_name: fullName });
      inlets.metServer?.();
    },
    onFolderLost: (what) => {
      log.error('the saved ledger has vanished', { problem: what });
    },
    onSaving: (failing) => {
      if (failing === undefined) log.info('the ledger can be saved again; reading goes on');
      else log.error('the ledger cannot be saved; reading waits and the logs are the buffer', { error: failing });
    },
  });
  const { movedAside } = ledger.saving();
  if (movedAside !== undefined) {
    log.error('the saved ledger could not be read; counting begins anew', { problem: movedAside });
  }
  return ledger;
}

/** That no drill was written yet is nothing to warn of. */
function withoutDrills(log: Log): Log {
  return {
    ...log,
    warn: (message, fields) => {
      if (fields?.source !== drillSource) log.warn(message, fields);
    },
  };
}

/** Where no drill was ever written there is nothing to say of drills. */
function sourcesIn(inlets: Inlets): () => SourceStatus[] {
  const timeOf = timeKeeper(clocks);
  return () =>
    (inlets.followed?.statuses() ?? [])
      .filter(({ source, up }) => up || source !== drillSource)
      .map((status) => ({ ...status, lastRecordAt: timeOf(status.source, status.lastRecordAt) }));
}

function statusOf(reloader: Reloader): () => ReloadStatus {
  const timeOf = timeKeeper(clocks);
  return () => {
    const status = reloader.status();
    return { ...status, successAt: timeOf('', status.successAt) ?? status.successAt };
  };
}

/** Every path is a source of its own, named as it was given, so that each says by itself when it cannot be read. */
function fileSources(config: Config): FileSource[] {
  const drills = {
    name: drillSource,
    paths: [drillFile(config.state.directory)],
    server: os.hostname(),
    unfiltered: false,
  };
  const files = config.sources.flatMap((source) =>
    source.type === 'file'
      ? source.paths.map((path) => ({
          name: path,
          paths: [path],
          server: source.server ?? os.hostname(),
          unfiltered: source.unfiltered,
          mayBeEmpty: source.mayBeEmpty,
        }))
      : [],
  );
  return [...files, drills];
}

/** Channels of the live event log, each once. */
function channelsOf({ sources }: Config): string[] {
  return [...new Set(sources.flatMap((source) => (source.type === 'windows-event-log' ? source.channels : [])))];
}

/** @throws when a source cannot be read on this kind of machine at all */
function refuseForeignSources(config: Config, platform: NodeJS.Platform): void {
  if (platform === 'win32' || channelsOf(config).length === 0) return;
  throw new Error(
    'sources: windows-event-log is read on Windows only; on this machine read a file that a shipper writes ' +
      '(type: file; examples/shippers shows how), or run the exporter on the Windows server',
  );
}

/** What is read, also where nobody named it. @throws as refuseForeignSources does */
function tellSources(config: Config, log: Log): void {
  refuseForeignSources(config, process.platform);
  for (const { name, server } of fileSources(config))
    if (name !== drillSource) log.info('reading', { source: name, server });
  for (const channel of channelsOf(config)) log.info('reading', { source: channel, server: os.hostname() });
}

/** Names that a message in any language may hold: those seen, those of the inventory, those that Exchange makes itself. */
function knownConnectors(ledger: Ledger, inventory: Inventory | undefined): string[] {
  const seen = ledger.rows().map(({ connector }) => connector);
  const named = inventory?.connectors().map(({ name }) => name) ?? [];
  return [...new Set([...seen, ...named, ...implicitNames])];
}

/** The servers whose records alone can be in the sources; undefined when the files may hold those of any. */
function ownServers({ sources }: Config): readonly string[] | undefined {
  const isOwn = (channels: readonly string[]): boolean => !channels.some((each) => /^forwardedevents$/i.test(each));
  const named = sources.map((source) => {
    if (source.type === 'file') return source.server;
    return isOwn(source.channels) ? os.hostname() : undefined;
  });
  return named.every((name) => name !== undefined) ? named : undefined;
}

function whyNotProbed(policy: Policy, destination: string): string | undefined {
  const endpoint = endpointOf(destination);
  if (!endpoint) return 'not an address and a port';
  return policy.judge(endpoint.address ? endpoint.host : undefined, endpoint.port);
}
