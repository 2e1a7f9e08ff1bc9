/** What is read by a configuration: files, channels, and what cannot be read on this machine. */
import os from 'node:os';
import type { Config } from '../config/config.js';
import { drillFile, drillSource } from '../events/sources/drills.js';
import type { FileSource } from '../events/sources/files/files.js';
import type { Log } from '../runtime/log.js';

/** Every path is a source of its own, named as it was given, so that each says by itself when it cannot be read. */
export function fileSources(config: Config): FileSource[] {
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
export function channelsOf({ sources }: Config): string[] {
  return [...new Set(sources.flatMap((source) => (source.type === 'windows-event-log' ? source.channels : [])))];
}

/** @throws when a source cannot be read on this kind of machine at all */
export function refuseForeignSources(config: Config, platform: NodeJS.Platform): void {
  if (platform === 'win32' || channelsOf(config).length === 0) return;
  throw new Error(
    'sources: windows-event-log is read on Windows only; on this machine read a file that a shipper writes ' +
      '(type: file; examples/shippers shows how), or run the exporter on the Windows server',
  );
}

/** What is read, also where nobody named it. @throws as refuseForeignSources does */
export function tellSources(config: Config, log: Log): void {
  refuseForeignSources(config, process.platform);
  for (const { name, server } of fileSources(config))
    if (name !== drillSource) log.info('reading', { source: name, server });
  for (const channel of channelsOf(config)) log.info('reading', { source: channel, server: os.hostname() });
}
