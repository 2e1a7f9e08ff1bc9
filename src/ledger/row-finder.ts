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
const mostFolded = 16_384;

/**
 * Rows are found by their names as they are: to build a key of these for each event would be most of the work. A row that
 * was taken out of the book is dormant, and looked for there. Errors that find no room are told by the row `other` that they
 * were counted in, as long as no row has come or gone.
 */
export function createRowFinder(parts: Parts): RowFinder {
  const { bounds } = parts;
  const own = createRowsByName(mostKept);
  const folded = createRowsByName(mostFolded);
  let foldedAt = bounds.version();
  const foldedRow = (evidence: Counted): Row | undefined => {
    if (foldedAt !== bounds.version()) folded.clear();
    foldedAt = bounds.version();
    return evidence.kind === 'connection_attempt' ? undefined : folded.get(evidence);
  };
  return {
    rowFor: (evidence) => {
      const known = own.get(evidence);
      if (known && !known.dormant) return known;
      const other = foldedRow(evidence);
      if (other && !other.dormant) {
        bounds.fold(evidence);
        return other;
      }
      const row = placedRow(parts, evidence);
      if (isSame(evidence, row.entered)) own.set(evidence, row);
      else if (evidence.kind !== 'connection_attempt') folded.set(evidence, row);
      return row;
    },
    clear: () => {
      own.clear();
      folded.clear();
    },
  };
}

type RowsByName = {
  readonly get: (name: RowName) => Row | undefined;
  readonly set: (name: RowName, row: Row) => void;
  readonly clear: () => void;
};

/** @param most rows: they come and go, in years, and what is gone must not stay here */
function createRowsByName(most: number): RowsByName {
  const servers = new Map<string, Map<string, Map<string, Row>>>();
  let kept = 0;
  const clear = (): void => {
    servers.clear();
    kept = 0;
  };
  return {
    get: ({ server, connector, destination }) => servers.get(server)?.get(connector)?.get(destination),
    set: ({ server, connector, destination }, row) => {
      if (++kept > most) clear();
      const connectors = servers.get(server) ?? new Map<string, Map<string, Row>>();
      const rows = connectors.get(connector) ?? new Map<string, Row>();
      rows.set(destination, row);
      connectors.set(connector, rows);
      servers.set(server, connectors);
    },
    clear,
  };
}

function placedRow({ byKey, bounds, silent }: Parts, { server, connector, destination, kind }: Counted): Row {
  const wanted = { server, connector, destination };
  const key = keyOf(wanted);
  const known = byKey.get(key);
  if (known && !known.dormant) return known;
  const isAttempt = kind === 'connection_attempt';
  const place = bounds.place(wanted, isAttempt);
  const isOwn = isSame(place, wanted);
  if (!isOwn && !isAttempt) bounds.fold(wanted);
  const row = isOwn ? known : byKey.get(keyOf(place));
  if (row) {
    row.dormant = false;
    silent.dormant.delete(row);
    return row;
  }
  const fresh = freshRow({ ...place, ...noCounts, ...never });
  byKey.set(isOwn ? key : keyOf(place), fresh);
  return fresh;
}
