/** Lists that may be long, in documents and in JSON: written an item at a time, so that the writer can pause in between. */
import { createContext, type VNode } from 'preact';
import type { Immutable } from '../../runtime/immutable.js';

/** A list of JSON whose items are made when they are written. */
export type Many<Made = unknown> = { readonly items: readonly unknown[]; readonly each: (item: never) => Made };

/** Data as it is made for JSON: any list may be one of `many`, but inside of arrays. */
export type InMaking<Data> = Data extends readonly (infer Item)[]
  ? Many<InMaking<Item>> | Immutable<Data>
  : Data extends object
    ? { readonly [Member in keyof Data]: InMaking<Data[Member]> }
    : Data;

class ManyItems<Made> implements Many<Made> {
  constructor(
    readonly items: readonly unknown[],
    readonly each: (item: never) => Made,
  ) {}
}

export function many<Item, Made>(items: Iterable<Item>, each: (item: Item) => Made): Many<Made> {
  return new ManyItems(Array.isArray(items) ? items : [...items], each);
}

/**
 * The text of a value as `JSON.stringify` gives it, in pieces: one for each item of the lists made by `many`, wherever
 * they stand among the members of objects.
 * @param indent blanks for each level
 */
export function* jsonPieces(value: unknown, indent = 0, level = 0): Generator<string> {
  if (!holdsMany(value)) {
    yield textOf(value, indent, level);
    return;
  }
  const isList = value instanceof ManyItems;
  const between = lineBreak(indent, level + 1);
  let before = isList ? '[' : '{';
  for (const [name, member] of isList ? unnamed(value) : Object.entries(value)) {
    if (member === undefined) continue;
    before += between + (name === undefined ? '' : `${JSON.stringify(name)}:${indent === 0 ? '' : ' '}`);
    if (holdsMany(member)) {
      yield before;
      yield* jsonPieces(member, indent, level + 1);
    } else yield before + textOf(member, indent, level + 1);
    before = ',';
  }
  const isEmpty = before !== ',';
  yield `${isEmpty ? before : lineBreak(indent, level)}${isList ? ']' : '}'}`;
}

function* unnamed({ items, each }: ManyItems<unknown>): Generator<readonly [undefined, unknown]> {
  for (const item of items) yield [undefined, each(item as never) ?? null];
}

/** Many items, or an object with such a member; objects in arrays are not looked at. */
function holdsMany(value: unknown): value is object {
  if (value instanceof ManyItems) return true;
  if (!isRecord(value)) return false;
  for (const name in value) if (value[name] instanceof ManyItems) return true;
  return false;
}

// No text of JSON has a line break of its own but between members.
function textOf(value: unknown, indent: number, level: number): string {
  const text = JSON.stringify(value ?? null, null, indent);
  return indent === 0 ? text : text.replaceAll('\n', lineBreak(indent, level));
}

function lineBreak(indent: number, level: number): string {
  return indent === 0 ? '' : `\n${' '.repeat(indent * level)}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// ---------------------------------------------------------------------------------------------------------- in HTML

type Rendered<Item> = { readonly items: readonly Item[]; readonly children: (item: Item) => VNode };

/** Takes the lists of a document in the order in which they stand. @returns the text to put in their place */
export type PutOff = (list: Rendered<never>) => string;

export const PutOffLists = createContext<PutOff | undefined>(undefined);

/** Renders each item with its child; in a document that is made in pieces the items come later, one at a time. */
export function LongList<Item>({ items, children }: Rendered<Item>): VNode {
  return (
    <PutOffLists.Consumer>
      {(putOff: PutOff | undefined) =>
        putOff === undefined ? items.map(children) : putOff({ items, children } as unknown as Rendered<never>)
      }
    </PutOffLists.Consumer>
  );
}
