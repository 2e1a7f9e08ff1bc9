/** Whether a source delivers every record of a log: judged by the record IDs, unless a setting says so. */
import * as z from 'zod';

export const proof = z.strictObject({
  /** Record IDs one after the other without a gap, up to the last. */
  streak: z.int(),
  /** True once the log was found to come unfiltered. */
  complete: z.boolean(),
  /** Gaps lately, less one for each hundred IDs in a row: many of them are a filter. */
  gaps: z.int(),
});
type Proof = z.infer<typeof proof>;

/** So many record IDs in a row are no accident: the log comes unfiltered. */
const provenStreak = 100;

/** More gaps than this with too little between them are a filter. */
const mostGaps = 10;

/** So many more came one after the other. */
export function countStreak(of: Proof, ids: number): void {
  const before = of.streak;
  of.streak += ids;
  const proofs = Math.floor(of.streak / provenStreak);
  of.gaps = Math.max(0, of.gaps - (proofs - Math.floor(before / provenStreak)));
  if (proofs > 0) of.complete = true;
  heedFilter(of);
}

export function countGap(of: Proof): void {
  of.gaps++;
  of.streak = 0;
}

function heedFilter(of: Proof): void {
  if (of.gaps > mostGaps) Object.assign(of, { complete: false, gaps: 0, streak: 0 });
}
