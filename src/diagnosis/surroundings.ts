/** What else is probed, and how much of it can be reached: the context in which a failure is judged. */
import type { BoardEntry } from '../board/board.js';
import type { LedgerRow } from '../model/batch.js';
import { endpointOf } from '../model/endpoint.js';
import type { RecentError } from '../model/evidence.js';
import { eachOf, type Steps } from '../runtime/breath.js';
import { getsConnection, type NoEgress, serversWithoutEgress } from './egress.js';

/** What the board knows of a destination, as far as it decides. */
export type Probed = Pick<BoardEntry, 'destination' | 'latest' | 'failingSince' | 'passingSince' | 'ping' | 'path'>;

export type DiagnosisOptions = {
  readonly now: number;
  /** A sentence when this destination is never probed; undefined when it is. */
  readonly notProbed: (destination: string) => string | undefined;
  /** Of more pairs only those with the latest errors are diagnosed. */
  readonly most?: number | undefined;
  /** Errors of the last hour and more, with the reasons that transport logs tell. */
  readonly recent: readonly RecentError[];
};

/** How many were asked, and how many of these get a connection. */
export type Count = { asked: number; passing: number };

export type World = DiagnosisOptions & {
  readonly probed: ReadonlyMap<string, Probed>;
  readonly all: Count;
  readonly families: Readonly<Record<4 | 6, Count>>;
  readonly connectors: ReadonlyMap<string, Count>;
  readonly withoutEgress: ReadonlyMap<string, NoEgress>;
};

export function* worldOf(
  rows: readonly LedgerRow[],
  entries: readonly Probed[],
  options: DiagnosisOptions,
): Steps<World> {
  const probed = new Map<string, Probed>();
  const all = { asked: 0, passing: 0 };
  const families = { 4: { asked: 0, passing: 0 }, 6: { asked: 0, passing: 0 } };
  for (const entry of entries) {
    if (wasNotAsked(entry, options)) continue;
    probed.set(entry.destination, entry);
    const connects = getsConnection(entry.latest);
    count(all, connects);
    const family = familyOf(entry.destination);
    if (family) count(families[family], connects);
  }
  const connectors = new Map<string, Count>();
  for (const [connector, own] of yield* probedByConnector(rows, probed)) {
    const counted = { asked: 0, passing: 0 };
    for (const entry of own.values()) count(counted, getsConnection(entry.latest));
    connectors.set(connector, counted);
  }
  const { now, recent } = options;
  const withoutEgress = yield* serversWithoutEgress({ rows, visits: [...probed.values()], recent, now });
  return { ...options, probed, all, families, connectors, withoutEgress };
}

/** A visit from before probing was switched off or forbidden says nothing about now. */
function wasNotAsked({ destination, latest }: Probed, { notProbed }: DiagnosisOptions): boolean {
  return latest.reason === 'blocked_by_policy' || notProbed(destination) !== undefined;
}

function count(into: Count, passing: boolean): void {
  into.asked++;
  if (passing) into.passing++;
}

export function familyOf(destination: string): 4 | 6 | undefined {
  const endpoint = endpointOf(destination);
  if (endpoint?.address !== true) return undefined;
  return endpoint.host.includes(':') ? 6 : 4;
}

/** Of each connector those destinations that are probed. */
function* probedByConnector(
  rows: readonly LedgerRow[],
  probed: ReadonlyMap<string, Probed>,
): Steps<Map<string, Map<string, Probed>>> {
  const found = new Map<string, Map<string, Probed>>();
  if (probed.size === 0) return found;
  yield* eachOf(rows, ({ connector, destination }) => {
    const entry = probed.get(destination);
    if (!entry) return;
    const known = found.get(connector);
    if (known) known.set(destination, entry);
    else found.set(connector, new Map([[destination, entry]]));
  });
  return found;
}

export type WithoutEgress = Exclude<NoEgress, { readonly by: 'probes alone' }>;
