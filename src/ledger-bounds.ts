/** Keeps the number of label values that come from logs within bounds: beyond them only the destination is folded. */

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
  readonly folded: () => Folded;
};

/** What all destinations beyond the limit are counted under. */
export const otherDestination = 'other';

const latestFolded = 100;
/** Names of connectors come from logs too. Exchange allows far fewer; a hostile log does not care. */
const maxConnectors = 1_000;

/** @param limit destinations shown by name, of each Send connector */
export function createBounds(limit: number): Bounds {
  /** Rows by destination by connector: several servers may have errors with one destination. */
  const shown = new Map<string, Map<string, number>>();
  const latest = new Map<string, { readonly connector: string; readonly destination: string }>();
  let errors = 0;
  return {
    place: (row, attempt = false) => {
      if (row.destination === otherDestination) return row;
      const destinations = shown.get(row.connector) ?? new Map<string, number>();
      const rows = destinations.get(row.destination) ?? 0;
      if (rows === 0 && destinations.size >= (attempt ? Math.ceil(limit / 2) : limit))
        return foldedPlace(row, shown.has(row.connector));
      if (!shown.has(row.connector) && shown.size >= maxConnectors) return foldedPlace(row, shown.has(row.connector));
      shown.set(row.connector, destinations.set(row.destination, rows + 1));
      return row;
    },
    fold: ({ connector, destination }) => {
      errors++;
      const key = `${connector}\n${destination}`;
      latest.delete(key);
      latest.set(key, { connector, destination });
      if (latest.size > latestFolded) latest.delete(latest.keys().next().value ?? '');
    },
    release: ({ connector, destination }) => {
      const destinations = shown.get(connector);
      const rows = destinations?.get(destination);
      if (!destinations || rows === undefined) return;
      if (rows > 1) destinations.set(destination, rows - 1);
      else destinations.delete(destination);
    },
    folded: () => ({ errors, latest: [...latest.values()] }),
  };
}

/** Per-connector totals stay exact; only a flood of connector names loses the names. */
function foldedPlace({ server, connector }: Place, known: boolean): Place {
  const other = otherDestination;
  return { server: known ? server : other, connector: known ? connector : other, destination: other };
}
