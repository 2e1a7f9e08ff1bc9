/** Finds the row of a piece of evidence by its names as they are: to build a key of them for each would be most of the work. */
import type { Row, RowName } from './row.js';

export type RowFinder = {
  /** @returns undefined where the row is not known here; the book of all rows may know it */
  readonly find: (name: RowName) => Row | undefined;
  /** Keeps a row to be found, where it stands under just these names. */
  readonly keep: (name: RowName, row: Row) => void;
  readonly clear: () => void;
};

/** More than the bounds let be shown at a time. */
const mostKept = 65_536;

/** A row that was taken out of the book is dormant, or its server has another name: both are seen by who asks. */
export function createRowFinder(): RowFinder {
  const servers = new Map<string, Map<string, Map<string, Row>>>();
  let kept = 0;
  const clear = (): void => {
    servers.clear();
    kept = 0;
  };
  return {
    find: ({ server, connector, destination }) => servers.get(server)?.get(connector)?.get(destination),
    keep: ({ server, connector, destination }, row) => {
      const { entered } = row;
      if (entered.server !== server || entered.connector !== connector || entered.destination !== destination) return;
      // Rows come and go, in years: what is gone must not stay here.
      if (++kept > mostKept) clear();
      const connectors = servers.get(server) ?? new Map<string, Map<string, Row>>();
      const rows = connectors.get(connector) ?? new Map<string, Row>();
      rows.set(destination, row);
      connectors.set(connector, rows);
      servers.set(server, connectors);
    },
    clear,
  };
}
