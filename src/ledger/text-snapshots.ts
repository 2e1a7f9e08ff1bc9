/** Writes entries of a book as they were at one moment, one at a time: what changes meanwhile is written right before it does. */

export type TextSnapshots<Entry, Text> = {
  /** The texts are made when they are asked for. Takes the place of a snapshot that was not read to its end. */
  readonly begin: (entries: Iterable<Entry>) => Iterable<Text>;
  /** To be told before an entry changes. */
  readonly changes: (entry: Entry) => void;
};

/** @param textOf what is saved of an entry as it is now */
export function createTextSnapshots<Entry, Text>(textOf: (entry: Entry) => Text): TextSnapshots<Entry, Text> {
  /** Those that are still to be written, and what was written of them before they changed. */
  let waiting = new Set<Entry>();
  let early = new Map<Entry, Text>();
  function* texts(mine: Set<Entry>): Generator<Text> {
    for (const entry of mine) {
      if (mine !== waiting) throw new Error('another snapshot of the ledger has begun: this one is not whole');
      mine.delete(entry);
      const text = early.get(entry);
      early.delete(entry);
      yield text ?? textOf(entry);
    }
  }
  return {
    begin: (entries) => {
      waiting = new Set(entries);
      early = new Map();
      return texts(waiting);
    },
    changes: (entry) => {
      if (waiting.has(entry) && !early.has(entry)) early.set(entry, textOf(entry));
    },
  };
}
