/** Limits the number of label values that come from logs: beyond the limit, only the destination is folded. */

type Place = { readonly server: string; readonly connector: string; readonly destination: string };

/** Errors that were counted under `other`. */
export type Folded = {
  readonly errors: number;
  /** The latest destinations folded, newest last. */
  readonly latest: readonly { readonly connector: string; readonly destination: string }[];
};

export type Bounds = {
  /**
   * Where a new row is counted: the row itself, or `other` of the same server and connector. A row born of a mere
   * attempt finds only half of the room, so that the many destinations that work leave room for those that fail.
   */
  readonly place: (row: Place, attempt?: boolean) => Place;
  /** Notes an error that is counted under `other`. */
  readonly fold: (row: Place) => void;
  /** Makes room: the row is no longer shown. */
  readonly release: (row: Place) => void;
  /** The server of a row has another name; `to` is absent where a row of that name is shown already. */
  readonly move: (from: Place, to: Place | undefined) => void;
  readonly folded: () => Folded;
  /** Changes whenever a row comes or goes: until then each that found no room finds none. */
  readonly version: () => number;
};

/** What all destinations beyond the limit are counted under. */
export const otherDestination = 'other';

const latestFolded = 100;
/** Names of connectors come from logs too. Exchange allows far fewer; a hostile log does not care. */
const maxConnectors = 1_000;
/** Rows `other`, for names of servers come from logs as well. */
const maxOthers = 2_000;
/** What all rows together may take: of ordinary names about 30,000 rows. */
const roomForAll = 5 * 1024 * 1024;

type Shown = {
  /** Rows by destination: several servers may have errors with one. */
  readonly destinations: Map<string, number>;
  /** Servers that have a row `other`. */
  readonly others: Set<string>;
};

/** @param limit destinations shown by name, of each Send connector */
export function createBounds(limit: number, room = roomForAll): Bounds {
  const byConnector = new Map<string, Shown>();
  let [used, others, version] = [0, 0, 0];
  const other = otherDestination;
  /** Per-connector totals stay exact; only a flood of names of connectors or servers loses these names. */
  const placeOther = ({ server, connector }: Place): Place => {
    if (!byConnector.has(connector) && connector !== other && byConnector.size >= maxConnectors)
      return placeOther({ server: other, connector: other, destination: other });
    const servers = shownOf(byConnector, connector).others;
    if (servers.has(server)) return { server, connector, destination: other };
    if (others >= maxOthers && server !== other) return placeOther({ server: other, connector, destination: other });
    servers.add(server);
    others++;
    return { server, connector, destination: other };
  };
  const show = (row: Place): void => {
    const { destinations } = shownOf(byConnector, row.connector);
    destinations.set(row.destination, (destinations.get(row.destination) ?? 0) + 1);
    used += roomOf(row);
    version++;
  };
  const release = (row: Place): void => {
    const shown = byConnector.get(row.connector);
    const rows = shown?.destinations.get(row.destination);
    if (!shown || rows === undefined) return;
    used -= roomOf(row);
    version++;
    if (rows > 1) shown.destinations.set(row.destination, rows - 1);
    else shown.destinations.delete(row.destination);
    if (shown.destinations.size + shown.others.size === 0) byConnector.delete(row.connector);
  };
  return {
    place: (row, attempt = false) => {
      if (row.destination === other) return placeOther(row);
      const destinations = byConnector.get(row.connector)?.destinations;
      const isNew = destinations?.has(row.destination) !== true;
      const share = attempt ? 0.5 : 1;
      const full =
        (isNew && (destinations?.size ?? 0) >= Math.ceil(limit * share)) ||
        used + roomOf(row) > room * share ||
        (!byConnector.has(row.connector) && byConnector.size >= maxConnectors);
      if (full) return placeOther(row);
      show(row);
      return row;
    },
    release,
    move: (from, to) => {
      if (from.destination === other) {
        const servers = byConnector.get(from.connector)?.others;
        if (servers?.delete(from.server) !== true) return;
        if (to && !servers.has(to.server)) servers.add(to.server);
        else others--;
        return;
      }
      release(from);
      // It has been shown before: that its name is longer now is no reason to fold it.
      if (to) show(to);
    },
    ...createFolds(),
    version: () => version,
  };
}

function shownOf(byConnector: Map<string, Shown>, connector: string): Shown {
  const known = byConnector.get(connector);
  if (known) return known;
  const fresh: Shown = { destinations: new Map(), others: new Set() };
  byConnector.set(connector, fresh);
  return fresh;
}

function createFolds(): Pick<Bounds, 'fold' | 'folded'> {
  const latest = new Map<string, { readonly connector: string; readonly destination: string }>();
  let errors = 0;
  return {
    fold: ({ connector, destination }) => {
      errors++;
      const key = `${connector}\n${destination}`;
      latest.delete(key);
      latest.set(key, { connector, destination });
      if (latest.size > latestFolded) latest.delete(latest.keys().next().value ?? '');
    },
    folded: () => ({ errors, latest: [...latest.values()] }),
  };
}

/** A row takes its names several times over, and about as much again for the rest. */
function roomOf({ server, connector, destination }: Place): number {
  return 100 + server.length + connector.length + destination.length;
}
