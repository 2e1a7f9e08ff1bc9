/** Writes entries of a book as they were at one moment, one at a time: what changes meanwhile is written right before it does. */

export type TextSnapshots<Entry, Text> = {
  /** The texts are made when they are asked for. Takes the place of a snapshot that was not read to its end. */
  readonly begin: (entries: Iterable<Entry>) => Iterable<Text>;
  /** To be told before an entry changes. */
  readonly changes: (entry: Entry) => void;
};

/** @param textOf what is saved of an entry as it is now */
export function createTextSnapshots<Entry, Text>(textOf: (entry: Entry) => Text): TextSnapshots<Entry, Text> {
  /** Those that are still to be written; with their texts, those that have changed since. */
  let waiting = new Map<Entry, Text | undefined>();
  function* texts(mine: Map<Entry, Text | undefined>): Generator<Text> {
    for (const [entry, text] of mine) {
      if (mine !== waiting) throw new Error('another snapshot of the ledger has begun: this one is not whole');
      mine.delete(entry);
      yield text ?? textOf(entry);
    }
  }
  return {
    begin: (entries) => {
      waiting = new Map();
      for (const entry of entries) waiting.set(entry, undefined);
      return texts(waiting);
    },
    changes: (entry) => {
      if (waiting.size > 0 && waiting.has(entry) && waiting.get(entry) === undefined) waiting.set(entry, textOf(entry));
    },
  };
}
