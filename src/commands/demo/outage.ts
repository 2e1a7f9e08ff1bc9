/** An outage of the demo: who fails to reach whom, why and how often. */
import type { Ending } from './ending.js';

/** One Send connector of one server that keeps failing to reach one destination. */
export type Outage = {
  /** Full name of the Exchange server, for instance `EXCH01.contoso.example`. */
  readonly computer: string;
  readonly connector: string;
  /** As Exchange writes it: `address:port`. */
  readonly destination: string;
  /** What the transport logs tell as the reason. */
  readonly ending: Ending;
  /** Seconds until the first error, and between two errors. */
  readonly firstAfter: number;
  readonly every: number;
};
