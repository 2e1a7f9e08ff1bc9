/** Records of each source by what became of them, since the start. */
import type { Evidence } from '../model/evidence.js';
import type { RecordOutcome, UnreadableReason } from '../model/records.js';

export type Tally = {
  readonly outcomes: Readonly<Record<RecordOutcome, number>>;
  readonly unreadable: Readonly<Partial<Record<UnreadableReason, number>>>;
};

export type Tallies = {
  readonly all: () => ReadonlyMap<string, Tally>;
  /** `isNew`: not a second delivery. */
  readonly note: (source: string, evidence: Evidence, isNew: boolean) => void;
  /** Notes the records of a batch that are not evidence. */
  readonly noteRest: (source: string, rest: Rest) => void;
};

type Rest = {
  readonly counted?: number;
  readonly repeated?: number;
  readonly ignored: number;
  readonly unreadable: Readonly<Partial<Record<UnreadableReason, number>>>;
};

type MutableTally = {
  outcomes: Record<RecordOutcome, number>;
  unreadable: Partial<Record<UnreadableReason, number>>;
};

export function createTallies(): Tallies {
  const bySource = new Map<string, MutableTally>();
  const tallyOf = (source: string): MutableTally => {
    const known = bySource.get(source);
    if (known) return known;
    const fresh = { outcomes: { counted: 0, related: 0, ignored: 0, duplicate: 0, unreadable: 0 }, unreadable: {} };
    bySource.set(source, fresh);
    return fresh;
  };
  return {
    all: () => bySource,
    note: (source, evidence, isNew) => {
      tallyOf(source).outcomes[outcomeOf(evidence, isNew)]++;
    },
    noteRest: (source, { counted = 0, repeated = 0, ignored, unreadable }) => {
      const tally = tallyOf(source);
      tally.outcomes.counted += counted;
      tally.outcomes.duplicate += repeated;
      tally.outcomes.ignored += ignored;
      for (const [reason, count] of Object.entries(unreadable) as [UnreadableReason, number][]) {
        tally.outcomes.unreadable += count;
        tally.unreadable[reason] = (tally.unreadable[reason] ?? 0) + count;
      }
    },
  };
}

function outcomeOf({ kind }: Evidence, isNew: boolean): RecordOutcome {
  if (!isNew) return 'duplicate';
  return kind === 'related_event' ? 'related' : 'counted';
}
