/** Takes a changed configuration into use while the exporter runs; a wrong one leaves the last good one in force. */
import type { Config, Loaded } from './config.js';
import type { Log } from '../runtime/log.js';
import { watchFiles } from '../runtime/watch-files.js';

/** How the latest reload went; the start counts as one that went well. */
export type ReloadStatus = {
  readonly successful: boolean;
  /** Of the latest success, milliseconds since 1970 UTC. */
  readonly successAt: number;
  /** Why the latest one failed. */
  readonly problem?: string;
  /** Settings of the file that differ from those in force, because they are taken over at a start only. */
  readonly waiting: readonly string[];
};

export type Reloader = {
  /** Takes the configuration of the start into use; a reload that is asked for meanwhile comes after it. @throws as `apply` does */
  readonly begin: () => Promise<void>;
  readonly status: () => ReloadStatus;
  /** Asked for by a person. @returns whether everything is in force that can be without a restart */
  readonly reload: () => Promise<ReloadStatus>;
  readonly close: () => Promise<void>;
};

export type ReloadOptions = {
  /** The configuration file, to be watched; absent: only flags, then a reload only reads the web configuration. */
  readonly file: string | undefined;
  /** Reads file and flags as at the start. */
  readonly load: () => Promise<Loaded>;
  /** The configuration that the exporter started with. */
  readonly started: Config;
  /** Takes a configuration into use. @throws when it cannot; then the one before is in force again */
  readonly apply: (config: Config) => Promise<void>;
  /** Reads the web configuration again. @returns what is wrong with it, or undefined */
  readonly reloadAccess: () => Promise<string | undefined>;
  readonly now: () => number;
  readonly log: Log;
};

/** Settings that are bound to what is opened once: the state folder, the sockets, the bounds of the ledger. */
const onlyAtStart = {
  'state.directory': (config: Config) => config.state.directory,
  'destinations.limit': (config: Config) => config.destinations.limit,
  'destinations.forgetAfter': (config: Config) => config.destinations.forgetAfter,
  'web.listenAddresses': (config: Config) => config.web.listenAddresses,
  'web.telemetryPath': (config: Config) => config.web.telemetryPath,
  'web.externalUrl': (config: Config) => config.web.externalUrl,
  'web.configFile': (config: Config) => config.web.configFile,
};

/** Watches the file and reloads on request; one reload at a time. */
export function createReloader(options: ReloadOptions): Reloader {
  const { log, now } = options;
  let current = options.started;
  let status: ReloadStatus = { successful: true, successAt: now(), waiting: [] };
  let running: Promise<unknown> = Promise.resolve();

  const failed = (problem: string): void => {
    if (problem !== status.problem)
      log.error('the reload failed; the last good configuration stays in force', { problem });
    status = { ...status, successful: false, problem };
  };
  const once = async (): Promise<void> => {
    const loaded = await options.load();
    const wrongAccess = await options.reloadAccess();
    if (!loaded.ok || wrongAccess !== undefined) {
      failed([...(loaded.ok ? [] : loaded.mistakes), wrongAccess].filter((text) => text !== undefined).join('; '));
      return;
    }
    const { config } = loaded;
    const waiting = Object.entries(onlyAtStart)
      .filter(([, of]) => JSON.stringify(of(config)) !== JSON.stringify(of(options.started)))
      .map(([name]) => name);
    if (JSON.stringify(config) !== JSON.stringify(current)) await options.apply(config);
    current = config;
    status = { successful: true, successAt: now(), waiting };
    log.info('the configuration was read again', { file: options.file });
    if (waiting.length > 0)
      log.warn('startup-only settings have changed; they take effect after a restart', { settings: waiting.join() });
  };
  const reload = async (): Promise<ReloadStatus> => {
    const mine = running.then(once).catch((error: unknown) => {
      failed(error instanceof Error ? error.message : String(error));
    });
    running = mine;
    await mine;
    return status;
  };
  const watch = options.file === undefined ? undefined : watchFiles(() => [options.file ?? ''], reload);
  return {
    begin: () => {
      const first = options.apply(options.started);
      running = first.catch(() => undefined);
      return first;
    },
    status: () => status,
    reload,
    close: async () => {
      watch?.close();
      await running;
    },
  };
}
