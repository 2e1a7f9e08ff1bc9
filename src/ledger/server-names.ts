/**
 * One server, one name: the fullest that is known of it, in lower case (docs/server-names.md).
 *
 * Events write the full name of a server, the setting of a transport log and the host itself often the first label alone.
 * A first label stands for the one full name that begins with it. Where two full names do, it stands for itself: which of
 * them is meant is not guessed. What the inventory says of a name, or the host of its own, goes before what fits.
 */
import { isIP } from 'node:net';
import * as z from 'zod';
import type { Immutable } from '../runtime/immutable.js';

/** The full name that a short one stands for, because the inventory or the host says so. */
export type DeclaredName = { readonly short: string; readonly full: string };

/** As saved: a full name that is known, and the short one that was declared to stand for it. */
export const savedServer = z.strictObject({ full: z.string(), short: z.string().optional() });
export type KnownServer = Immutable<z.infer<typeof savedServer>>;

export type ServerNames = {
  /** The one name of a server; a name of which no more is known stays as it is. */
  readonly nameOf: (name: string) => string;
  /** Notes a name that was met. @returns the short name that stands for it from now on, where there is one */
  readonly learn: (name: string) => string | undefined;
  /** Takes the place of what was declared before. @returns short names that stand for a full one from now on */
  readonly declare: (names: readonly DeclaredName[]) => readonly string[];
  /** For the saved form; the same list while nothing changed. */
  readonly known: () => readonly KnownServer[];
};

/** More servers than any organisation has: a hostile log names any number, and those beyond are taken as they are. */
const most = 10_000;

export function createServerNames(saved: readonly KnownServer[] = []): ServerNames {
  const fullByShort = new Map<string, Set<string>>();
  let declared = new Map<string, string>();
  let size = 0;
  let known: readonly KnownServer[] | undefined;
  const nameOf = (name: string): string => {
    if (name.includes('.')) return name;
    const said = declared.get(name);
    if (said !== undefined) return said;
    const fitting = fullByShort.get(name);
    if (fitting?.size !== 1) return name;
    const [full = name] = fitting;
    return full;
  };
  const add = (full: string): string | undefined => {
    const short = shortOf(full);
    if (short === undefined || fullByShort.get(short)?.has(full) === true || size >= most) return undefined;
    const before = nameOf(short);
    const fitting = fullByShort.get(short) ?? new Set();
    fullByShort.set(short, fitting.add(full));
    size++;
    known = undefined;
    return before === short && nameOf(short) === full ? short : undefined;
  };
  const declare = (names: readonly DeclaredName[]): readonly string[] => {
    const before = new Map(names.map(({ short }) => [short, nameOf(short)]));
    declared = oneMeaning(names);
    known = undefined;
    for (const { full } of names) add(full);
    return [...before].filter(([short, name]) => name === short && nameOf(short) !== short).map(([short]) => short);
  };
  for (const { full } of saved) add(full);
  declare(saved.flatMap(({ short, full }) => (short === undefined ? [] : [{ short, full }])));
  return {
    nameOf,
    learn: add,
    declare,
    known: () => (known ??= listOf(fullByShort, declared)),
  };
}

/** The first label of a full name; undefined for a name of one label, and for an address. */
function shortOf(name: string): string | undefined {
  const end = name.indexOf('.');
  return end <= 0 || end === name.length - 1 || isIP(name) !== 0 ? undefined : name.slice(0, end);
}

/** A short name that is declared to stand for two stands for neither. */
function oneMeaning(names: readonly DeclaredName[]): Map<string, string> {
  const meanings = new Map<string, Set<string>>();
  for (const { short, full } of names) {
    if (short === full || short.includes('.') || shortOf(full) === undefined) continue;
    meanings.set(short, (meanings.get(short) ?? new Set()).add(full));
  }
  return new Map(
    [...meanings].flatMap(([short, fulls]) =>
      fulls.size === 1 ? [...fulls].map((full) => [short, full] as const) : [],
    ),
  );
}

function listOf(
  fullByShort: ReadonlyMap<string, ReadonlySet<string>>,
  declared: ReadonlyMap<string, string>,
): KnownServer[] {
  const shorts = new Map([...declared].map(([short, full]) => [full, short]));
  return [...fullByShort.values()].flatMap((fulls) => [...fulls].map((full) => ({ full, short: shorts.get(full) })));
}
