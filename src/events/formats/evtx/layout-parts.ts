/** The layout of a record: the parts of its text, and at which path each substitution stands. */
import { UnreadableRecord } from '../../decode/unreadable.js';

/** Text in pieces: a string is literal, a number is the index of a substitution. */
export type Part = readonly (string | number)[];

/** A substitution that holds BinXML itself, and the place in the event where it stands. */
export type NestedPart = { readonly index: number; readonly place: Place };

/** A substitution that holds all insertion strings of a classic event, or none. */
type ListPart = { readonly list: number };

/** Where the parts of a `WindowsEvent` are. */
export type Layout = {
  readonly provider: Part | undefined;
  readonly eventId: Part | undefined;
  readonly channel: Part | undefined;
  readonly computer: Part | undefined;
  readonly recordId: Part | undefined;
  readonly time: Part | undefined;
  readonly message: Part | undefined;
  /** Insertion strings in order. */
  readonly data: readonly (Part | ListPart | NestedPart)[];
};

/** The element that a piece of BinXML stands in: none, `Event`, or `Event/EventData`. */
export const places = ['', '/Event', '/Event/EventData'] as const;

export type Place = (typeof places)[number];

/** What looking through BinXML needs to know of its chunk. */
export type ChunkText = {
  readonly bytes: Buffer;
  /** Names by their offset in the chunk. */
  readonly names: Map<number, string>;
  /** Work done on this chunk so far, in tokens and characters: a crafted chunk could ask for any amount of it. */
  effort: number;
};

/** An honest chunk stays below a fifth of this: some 2,300 records of a few hundred characters at most. */
export const effortLimit = 2_000_000;

/** Counts work done on a chunk. @throws UnreadableRecord when it is more than any honest chunk asks for */
export function spend(chunk: ChunkText, amount: number): void {
  chunk.effort += amount;
  if (chunk.effort > effortLimit) throw new UnreadableRecord('damaged', 'chunk expands beyond all measure');
}

export type Found = { -readonly [Key in keyof Omit<Layout, 'data'>]: (string | number)[] | undefined } & {
  data: ((string | number)[] | ListPart | NestedPart)[];
};

/** State of one look through BinXML. */
export type Look = {
  readonly chunk: ChunkText;
  readonly to: number;
  readonly dependencyIds: boolean;
  /** Paths of the open elements, outermost first; the first is the place this look began in. */
  readonly paths: string[];
  readonly found: Found;
  at: number;
  /** Where text goes that is read next; undefined drops it. */
  target: (string | number)[] | undefined;
  eventIdEnded?: boolean;
};
