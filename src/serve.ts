/** The wiring of the exporter, in the order in which things happen. The only place that knows all parts. */
import { createBoard } from './board/board.js';
import type { Config } from './config/config.js';
import { createReloader } from './config/reload.js';
import { watchBacklog } from './health/backlog.js';
import { watchClock } from './health/clock.js';
import { createStanding } from './health/readiness.js';
import { createHandshakes } from './model/handshakes.js';
import { tellSources } from './wiring/configured-sources.js';
import { explanation } from './wiring/explanation.js';
import { changeOver, closeInlets } from './wiring/inlets.js';
import { openBooks } from './wiring/open-ledger.js';
import { clocks, type Inlets, type Origin, type Parts } from './wiring/parts.js';
import { sourcesIn, statusOf } from './wiring/true-times.js';
import { shownBy } from './wiring/outlets.js';
import { createPolicy } from './probes/policy.js';
import { createTargets } from './probes/targets.js';
import type { Log } from './runtime/log.js';
import { endInSteps } from './runtime/process-end.js';
import { openAccess } from './web/http/access.js';

export type Exporter = {
  /** Where it listens, as URLs. */
  readonly addresses: readonly string[];
  /** Reads configuration and web configuration again; the log and the metrics say how it went. */
  readonly reload: () => Promise<unknown>;
  /** Ends within ten seconds, whatever hangs. @returns what did not end, a sentence each */
  readonly stop: () => Promise<readonly string[]>;
};

const unchanging = (config: Config): Origin => ({
  file: undefined,
  load: () => Promise.resolve({ ok: true, config }),
});

/**
 * Starts the exporter: books first, then the web, so that what was saved is shown before the first read, then the inlets.
 * @throws when the state folder cannot be used or an address cannot be listened on; then nothing is left running
 */
export async function serve(config: Config, log: Log, origin: Origin = unchanging(config)): Promise<Exporter> {
  tellSources(config, log);
  const access = await openAccess(config.web.configFile, log);
  const targets = createTargets({ limit: config.destinations.limit });
  const inlets: Inlets = { policy: createPolicy(config.probe) };
  const ledger = await openBooks(config, log, targets, inlets);
  const parts: Parts = { ledger, board: createBoard(), targets, log };
  const sources = sourcesIn(inlets);
  const reloader = createReloader({
    ...origin,
    started: config,
    apply: (wanted) => changeOver(inlets, wanted, parts),
    reloadAccess: async () => ((await access.reload()) ? undefined : access.problem()),
    now: Date.now,
    log,
  });
  const clock = watchClock({ ...clocks, log });
  const backlog = watchBacklog({ sources, steady: clocks.steady, log });
  const standing = createStanding({
    stateDirectory: config.state.directory,
    ledger,
    sources,
    reload: statusOf(reloader),
    webProblem: access.problem,
    clockJump: clock.notice,
    caughtUp: () => inlets.followed?.caughtUp() ?? false,
    inventory: () => inlets.inventory,
  });
  const told = await explanation(inlets, parts, origin);
  const handshakes = createHandshakes('web', log);
  const house = { config, parts, inlets, sources, access, handshakes, reloader, clock, backlog, standing, told };
  const { startWeb } = await import('./web/http/server.js');
  const web = await startWeb(shownBy(house)).catch(async (error: unknown) => {
    for (const each of [access, clock, backlog]) each.close();
    await Promise.all([ledger.close(), reloader.close()]);
    throw error;
  });
  for (const url of web.addresses) log.info('listening', { url });
  await reloader.begin();
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
