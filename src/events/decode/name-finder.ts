/**
 * Finds which of many names stands in a text, in one walk over the text whatever their number: an automaton after Aho
 * and Corasick, which is built once for a list of names.
 */

/** The longest of the names that stands in a text, and not as a part of a longer word; undefined when none does. */
export type NameFinder = (text: string) => string | undefined;

/** Letters and digits of scripts that put blanks between words. */
const partOfWord = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}_]/u;

/** Characters of all names together; names beyond them are not looked for. */
const mostCharacters = 1_000_000;

let latest: { readonly names: readonly string[]; readonly find: NameFinder } = { names: [], find: () => undefined };

/** A finder for these names: that of the call before when they are the same. */
export function finderOf(names: readonly string[]): NameFinder {
  const isSame = names.length === latest.names.length && names.every((name, index) => name === latest.names[index]);
  if (!isSame) latest = { names: [...names], find: createFinder(names) };
  return latest.find;
}

/** States are numbers, 0 is the beginning; a state stands for the beginning of a name. */
type Automaton = {
  /** The next state, by state and character: see `edge`. */
  readonly edges: Map<number, number>;
  /** The name that ends in a state. */
  readonly names: (string | undefined)[];
  /** The state of the longest end of what was read that is the beginning of a name, where no edge leads on. */
  readonly fallbacks: number[];
  /** The next shorter state along the fallbacks in which a name ends; 0 when there is none. */
  readonly shorter: number[];
};

function createFinder(names: readonly string[]): NameFinder {
  const automaton: Automaton = { edges: new Map(), names: [undefined], fallbacks: [0], shorter: [0] };
  const children: [parent: number, character: number, state: number][] = [];
  let left = mostCharacters;
  for (const name of names) {
    left -= name.length;
    if (left >= 0 && name !== '') addName(automaton, name, children);
  }
  // By their depth, since a fallback is always shorter than what falls back.
  for (const [parent, character, state] of byDepth(children)) {
    const fallback = parent === 0 ? 0 : follow(automaton, automaton.fallbacks[parent] ?? 0, character);
    automaton.fallbacks[state] = fallback;
    automaton.shorter[state] = automaton.names[fallback] === undefined ? (automaton.shorter[fallback] ?? 0) : fallback;
  }
  return (text) => longestIn(automaton, text);
}

function addName(automaton: Automaton, name: string, children: [number, number, number][]): void {
  const { edges, names } = automaton;
  let state = 0;
  for (let at = 0; at < name.length; at++) {
    const character = name.charCodeAt(at);
    let next = edges.get(edge(state, character));
    if (next === undefined) {
      next = names.push(undefined) - 1;
      edges.set(edge(state, character), next);
      children.push([state, character, next]);
    }
    state = next;
  }
  names[state] = name;
}

/** States in the order of their depth; each name adds a row of them, so depths are known by their parents. */
function byDepth(children: readonly [number, number, number][]): readonly [number, number, number][] {
  const depths = [0];
  const rows: [number, number, number][][] = [];
  for (const child of children) {
    const depth = (depths[child[0]] ?? 0) + 1;
    depths[child[2]] = depth;
    (rows[depth] ??= []).push(child);
  }
  return rows.flat();
}

function edge(state: number, character: number): number {
  return state * 0x10000 + character;
}

function follow({ edges, fallbacks }: Automaton, from: number, character: number): number {
  let state = from;
  for (;;) {
    const next = edges.get(edge(state, character));
    if (next !== undefined) return next;
    if (state === 0) return 0;
    state = fallbacks[state] ?? 0;
  }
}

function longestIn(automaton: Automaton, text: string): string | undefined {
  const { names, shorter } = automaton;
  let longest = '';
  let state = 0;
  // Asked of each place once, since many names may begin or end there.
  const inWord = new Int8Array(text.length + 1).fill(-1);
  const isInWord = (at: number): boolean => {
    if (at < 0 || at >= text.length) return false;
    if (inWord[at] === -1) inWord[at] = partOfWord.test(text.charAt(at)) ? 1 : 0;
    return inWord[at] === 1;
  };
  for (let at = 0; at < text.length; at++) {
    state = follow(automaton, state, text.charCodeAt(at));
    // All names that end here end with the same character: a word that goes on rules them out together.
    if (isInWord(at) && isInWord(at + 1)) continue;
    for (let ends = state; ends !== 0; ends = shorter[ends] ?? 0) {
      const name = names[ends];
      if (name === undefined) continue;
      if (name.length <= longest.length) break;
      const start = at + 1 - name.length;
      if (isInWord(start - 1) && isInWord(start)) continue;
      longest = name;
      break;
    }
  }
  return longest === '' ? undefined : longest;
}
