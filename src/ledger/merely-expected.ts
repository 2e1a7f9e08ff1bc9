/** Rows without evidence, which exist exactly while the inventory or the settings expect them; they are not saved. */
import type { Births } from './births.js';
import type { Bounds } from './bounds.js';
import { freshRow, isMerelyExpected, isSame, keyOf, never, noCounts, type Row, type RowName } from './row.js';

export type MerelyExpected = {
  /** Takes the place of what was expected before; shown when `show` is called next. */
  readonly expect: (rows: readonly RowName[]) => void;
  readonly all: () => readonly RowName[];
  /** True when something is still to be shown, or to be shown no longer. */
  readonly isDue: () => boolean;
  readonly show: () => void;
};

type Parts = { readonly byKey: Map<string, Row>; readonly births: Births; readonly bounds: Bounds };

export function createMerelyExpected({ byKey, births, bounds }: Parts): MerelyExpected {
  let expected: ReadonlyMap<string, RowName> = new Map();
  let isDue = false;
  return {
    expect: (rows) => {
      expected = new Map(rows.map((row) => [keyOf(row), row]));
      isDue = true;
    },
    all: () => [...expected.values()],
    isDue: () => isDue,
    show: () => {
      const former = births.formerKeys();
      isDue = [...expected.keys()].some((key) => former.has(key));
      for (const [key, row] of byKey) {
        if (!isMerelyExpected(row)) continue;
        if (expected.has(key)) continue;
        byKey.delete(key);
        births.rows.delete(row);
        bounds.release(row.entered);
      }
      for (const [key, name] of expected) {
        if (byKey.has(key) || former.has(key) || !isSame(bounds.place(name), name)) continue;
        const row = freshRow({ ...name, ...noCounts, ...never });
        row.saved = row.published = row.entered;
        byKey.set(key, row);
        births.hold(row, 'errors', noCounts);
      }
    },
  };
}
