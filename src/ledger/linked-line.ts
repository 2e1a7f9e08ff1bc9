/**
 * Items in the order in which they came, linked to one another: one is put in or taken out without anything being made or
 * moved, whatever stands around it.
 */

/** The place of an item in one line; an item that stands in several lines has one for each. */
export type Place<Item> = { older: Item | undefined; newer: Item | undefined };

export type LinkedLine<Item> = {
  /** Puts an item at the end. */
  readonly add: (item: Item) => void;
  /** Takes out an item that stands in the line. */
  readonly take: (item: Item) => void;
  readonly oldest: () => Item | undefined;
  readonly size: () => number;
  /** Oldest first. */
  readonly all: () => Item[];
};

export function noPlace<Item>(): Place<Item> {
  return { older: undefined, newer: undefined };
}

/** @param placeOf the place of an item in this line, always the same object */
export function createLinkedLine<Item>(placeOf: (item: Item) => Place<Item>): LinkedLine<Item> {
  let [oldest, newest]: [Item | undefined, Item | undefined] = [undefined, undefined];
  let size = 0;
  return {
    add: (item) => {
      const place = placeOf(item);
      place.older = newest;
      if (newest === undefined) oldest = item;
      else placeOf(newest).newer = item;
      newest = item;
      size++;
    },
    take: (item) => {
      const place = placeOf(item);
      const { older, newer } = place;
      if (older === undefined) oldest = newer;
      else placeOf(older).newer = newer;
      if (newer === undefined) newest = older;
      else placeOf(newer).older = older;
      place.older = place.newer = undefined;
      size--;
    },
    oldest: () => oldest,
    size: () => size,
    all: () => {
      const items: Item[] = [];
      for (let item = oldest; item !== undefined; item = placeOf(item).newer) items.push(item);
      return items;
    },
  };
}
