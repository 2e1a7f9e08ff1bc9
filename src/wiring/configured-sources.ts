/** The sources of a configuration: `serve` follows them, `doctor` reads them once, and both leave out the same. */
import os from 'node:os';
import type { Config } from '../config/config.js';
import { drillFile, drillSource } from '../events/sources/drills.js';
import { files } from '../events/sources/files/source.js';
import { type Looked, partsOf } from '../events/sources/sources.js';
import type { SourceStatus } from '../model/status.js';
import type { Log } from '../runtime/log.js';

export type LookedAt = {
  /** What is read here, kind by kind: what the configuration names, and the drills. */
  readonly looked: readonly Looked[];
  /** Why what else it names cannot be read on this kind of machine at all, a sentence each. */
  readonly refusals: readonly string[];
};

export function lookedAt({ sources, state }: Config, platform: NodeJS.Platform): LookedAt {
  const drills = { name: drillSource, paths: [drillFile(state.directory)], server: os.hostname(), unfiltered: false };
  const all = partsOf(sources)
    .map(({ kind, parts }) => ({ kind, parts: kind.type === files.type ? [...parts, drills] : parts }))
    .filter(({ parts }) => parts.length > 0)
    .map((each) => ({ ...each, refusal: each.kind.refusal?.(platform) }));
  return {
    looked: all.filter(({ refusal }) => refusal === undefined),
    refusals: all.flatMap(({ refusal }) => refusal ?? []),
  };
}

/** @throws when something that is named cannot be read on this kind of machine at all */
export function readHere(config: Config): readonly Looked[] {
  const { looked, refusals } = lookedAt(config, process.platform);
  if (refusals.length > 0) throw new Error(refusals.join('; '));
  return looked;
}

/** What is read, also where nobody named it. @throws as readHere does */
export function tellSources(config: Config, log: Log): void {
  for (const { name, server } of readHere(config).flatMap(({ parts }) => parts))
    if (name !== drillSource) log.info('reading', { source: name, server: server === '' ? undefined : server });
}

/** Where no drill was ever written there is nothing to say of drills. */
export function isTold({ up, source }: SourceStatus): boolean {
  return up || source !== drillSource;
}
