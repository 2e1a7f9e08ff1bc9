/** Finds the row that a piece of evidence is counted in, and makes it where there is none. */
import type { Bounds } from './bounds.js';
import type { Counted } from './counting.js';
import { freshRow, isSame, keyOf, never, noCounts, type Row, type RowName } from './row.js';
import type { SilentRows } from './silent-rows.js';

export type RowFinder = {
  /** The row of a destination, or the row `other` of its connector when the limit is reached. */
  readonly rowFor: (evidence: Counted) => Row;
  /** Rows stand under other names by now. */
  readonly clear: () => void;
};

type Parts = { readonly byKey: Map<string, Row>; readonly bounds: Bounds; readonly silent: SilentRows };

/** More than the bounds let be shown at a time. */
const mostKept = 65_536;

/**
 * Rows are found by their names as they are: to build a key of these for each event would be most of the work. A row that
 * was taken out of the book is dormant, and looked for there.
 */
export function createRowFinder(parts: Parts): RowFinder {
  const servers = new Map<string, Map<string, Map<string, Row>>>();
  let kept = 0;
  const clear = (): void => {
    servers.clear();
    kept = 0;
  };
  const keep = (name: RowName, row: Row): void => {
    if (!isSame(name, row.entered)) return;
    // Rows come and go, in years: what is gone must not stay here.
    if (++kept > mostKept) clear();
    const connectors = servers.get(name.server) ?? new Map<string, Map<string, Row>>();
    const rows = connectors.get(name.connector) ?? new Map<string, Row>();
    rows.set(name.destination, row);
    connectors.set(name.connector, rows);
    servers.set(name.server, connectors);
  };
  return {
    rowFor: (evidence) => {
      const known = servers.get(evidence.server)?.get(evidence.connector)?.get(evidence.destination);
      if (known && !known.dormant) return known;
      const row = placedRow(parts, evidence);
      keep(evidence, row);
      return row;
    },
    clear,
  };
}

function placedRow({ byKey, bounds, silent }: Parts, { server, connector, destination, kind }: Counted): Row {
  const wanted = { server, connector, destination };
  const known = byKey.get(keyOf(wanted));
  if (known && !known.dormant) return known;
  const isAttempt = kind === 'connection_attempt';
  const place = bounds.place(wanted, isAttempt);
  if (!isSame(place, wanted) && !isAttempt) bounds.fold(wanted);
  const row = byKey.get(keyOf(place));
  if (row) {
    row.dormant = false;
    silent.dormant.delete(row);
    return row;
  }
  const fresh = freshRow({ ...place, ...noCounts, ...never });
  byKey.set(keyOf(place), fresh);
  return fresh;
}
