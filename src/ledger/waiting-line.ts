/** Items in the order in which they came: the oldest is found at once, whatever has been taken out before it. */

/** An item that is taken out says so itself, and is stepped over. */
export type InLine = { isGone: boolean };

export type WaitingLine<Item extends InLine> = {
  /** Puts an item at the end. */
  readonly add: (item: Item) => void;
  /** Takes out an item that stands in the line; of one that stands in several lines, from each of them. */
  readonly take: (item: Item) => void;
  readonly oldest: () => Item | undefined;
  readonly size: () => number;
  /** Oldest first. */
  readonly all: () => readonly Item[];
};

/** A map would find its oldest entry only behind all that were deleted from it since it last grew. */
export function createWaitingLine<Item extends InLine>(): WaitingLine<Item> {
  let items: Item[] = [];
  let first = 0;
  let present = 0;
  const all = (): readonly Item[] => {
    if (items.length === present) return items;
    items = items.filter(({ isGone }) => !isGone);
    first = 0;
    return items;
  };
  return {
    add: (item) => {
      present++;
      items.push(item);
      // The places of what is gone are taken back once they are the greater part.
      if (items.length > 2 * present + 64) all();
    },
    take: (item) => {
      item.isGone = true;
      present--;
    },
    oldest: () => {
      while (items[first]?.isGone === true) first++;
      return items[first];
    },
    size: () => present,
    all,
  };
}
