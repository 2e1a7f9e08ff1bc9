/** What the outlets read: where each value of the metrics, the pages and the API comes from. */
import type { Config } from '../config/config.js';
import type { Reloader } from '../config/reload.js';
import type { BacklogWatch } from '../health/backlog.js';
import type { ClockWatch } from '../health/clock.js';
import type { Standing } from '../health/readiness.js';
import type { Explanation } from './explanation.js';
import { ask } from './inlets.js';
import type { Inlets, Parts } from './parts.js';
import { createMetrics } from '../metrics/metrics.js';
import type { MetricsOptions } from '../metrics/options.js';
import type { Handshakes } from '../model/handshakes.js';
import type { SourceStatus } from '../model/status.js';
import { exporterVersion } from '../runtime/version.js';
import type { Access } from '../web/http/access.js';
import type { WebOptions } from '../web/http/server.js';

/** The exporter as `serve` has put it together. */
type House = {
  readonly config: Config;
  readonly parts: Parts;
  readonly inlets: Inlets;
  readonly sources: () => readonly SourceStatus[];
  readonly access: Access;
  /** On the listeners of the pages. */
  readonly handshakes: Handshakes;
  readonly reloader: Reloader;
  readonly clock: ClockWatch;
  readonly backlog: BacklogWatch;
  readonly standing: Standing;
  readonly told: Explanation;
};

function measuredIn({ config, parts, inlets, sources, handshakes, clock, standing, told }: House): MetricsOptions {
  return {
    ledger: parts.ledger,
    board: parts.board,
    sources,
    look: async () => inlets.followed?.look?.(),
    diagnoses: told.diagnoses,
    nextCommand: told.nextCommand,
    reload: standing.reloaded,
    probeQueueLength: () => inlets.probing?.queueLength() ?? 0,
    destinationsLimit: config.destinations.limit,
    connectors: () => inlets.inventory?.connectors() ?? [],
    inventoryModifiedAt: () => inlets.inventory?.status().modifiedAt,
    clockJumps: clock.jumps,
    webHandshakes: handshakes.counts,
    now: Date.now,
    version: exporterVersion(),
  };
}

/** What the web server shows: pages, API and metrics. */
export function shownBy(house: House): WebOptions {
  const { config, parts, inlets, sources, access, handshakes, reloader, backlog, standing, told } = house;
  return {
    listen: config.web.listenAddresses,
    telemetryPath: config.web.telemetryPath,
    externalUrl: config.web.externalUrl,
    access,
    handshakes,
    version: exporterVersion(),
    metrics: createMetrics(measuredIn(house)),
    ledger: parts.ledger,
    board: parts.board,
    sources,
    targets: parts.targets.list,
    notProbed: told.notProbed,
    diagnoses: told.diagnoses,
    ownHost: told.ownHost,
    configuration: () => inlets.config,
    ready: standing.ready,
    notices: standing.notices,
    backlog: backlog.status,
    probe: (destination, waitMs) => ask(inlets, parts.targets, destination, waitMs),
    reload: reloader.reload,
    now: Date.now,
    log: parts.log,
  };
}
