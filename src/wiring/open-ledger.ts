/** Opens the ledger for the inlets, and logs and handles renamed servers and failed saves. */
import type { Config } from '../config/config.js';
import { isDrill } from '../events/sources/drills.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Targets } from '../probes/targets.js';
import type { Log } from '../runtime/log.js';
import { clocks, type Inlets } from './parts.js';

export async function openBooks(config: Config, log: Log, targets: Targets, inlets: Inlets): Promise<Ledger> {
  const servers = new Set<string>();
  const { openLedger } = await import('../ledger/ledger.js');
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
      log.info('a server is now known by its full name; its counts were carried over', { name, full_name: fullName });
      inlets.metServer?.();
    },
    onFolderLost: (what) => {
      log.error('the saved ledger has vanished', { problem: what });
    },
    onSaving: (failing) => {
      if (failing === undefined) log.info('the ledger can be saved again; reading continues');
      else log.error('the ledger cannot be saved; reading is paused until it can', { error: failing });
    },
  });
  const { movedAside, startedOver } = ledger.saving();
  if (movedAside !== undefined) {
    const what = startedOver ? 'the saved ledger' : 'part of the saved ledger';
    log.error(`${what} could not be read`, { problem: movedAside });
  }
  return ledger;
}
