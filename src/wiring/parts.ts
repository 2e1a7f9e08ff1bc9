/** The inlets that are open, and the parts of the exporter that outlive a change of configuration. */
import type { createBoard } from '../board/board.js';
import type { Config, Loaded } from '../config/config.js';
import type { Followed } from '../events/sources/source.js';
import type { Inventory } from '../inventory/inventory.js';
import type { Ledger } from '../ledger/ledger.js';
import type { ProbeSettings } from '../probes/own-host.js';
import type { Policy } from '../probes/policy.js';
import type { Probing } from '../probes/probing.js';
import type { Targets } from '../probes/targets.js';
import type { Log } from '../runtime/log.js';
import type { Clocks } from '../runtime/noted-time.js';

/** Where the configuration came from, for reading it again. */
export type Origin = {
  readonly file: string | undefined;
  readonly load: () => Promise<Loaded>;
  /** Flags of probing, as they were given. */
  readonly probeFlags?: Pick<ProbeSettings, 'allow' | 'ports'>;
};

export const clocks: Clocks = { now: Date.now, steady: () => performance.now() };

/** What reads and probes; closed and opened again with a changed configuration. */
export type Inlets = {
  policy: Policy;
  /** In force. */
  config?: Config;
  inventory?: Inventory;
  followed?: Followed;
  probing?: Probing | undefined;
  /** Done, well or not, when what is being opened is open; undefined at all other times. */
  opening?: Promise<void> | undefined;
  /** Called when a server is met for the first time. */
  metServer?: () => void;
};

export type Parts = {
  readonly ledger: Ledger;
  readonly board: ReturnType<typeof createBoard>;
  readonly targets: Targets;
  readonly log: Log;
};
