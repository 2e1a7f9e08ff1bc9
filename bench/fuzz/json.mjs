/** Mutates JSON as a tree, and writes what JSON.stringify never would: doubled keys, numbers without end, half strings. */
import { oddNumber, oddText, pumped, spoilt } from './odd-values.mjs';

/** Deep enough for a reader that calls itself to run out of stack. */
const depths = [1, 2, 60, 2_000, 12_000, 100_000];

/**
 * @param text a text that may have something before and behind an object
 * @param donor another JSON text, of which parts are taken
 * @param inner mutates texts within strings that are records themselves
 */
export function mutateJson(random, text, donor, inner) {
  const found = treeIn(text);
  if (!found) return spoilt(random, text);
  const { before, tree, after } = found;
  for (let rounds = random.size(6); rounds > 0; rounds--) change(random, tree, donor, inner);
  return before + written(tree) + after;
}

function treeIn(text) {
  const [start, end] = [text.indexOf('{'), text.lastIndexOf('}') + 1];
  try {
    return {
      before: text.slice(0, start),
      tree: treeOf(JSON.parse(text.slice(start, end))),
      after: text.slice(end),
    };
  } catch {
    return undefined;
  }
}

/** What is nested deeper is taken as it is written: whoever walks over the tree must not run out of stack himself. */
const deepestOfTree = 1_000;

function treeOf(value, depth = 0) {
  if (typeof value !== 'object' || value === null || depth === deepestOfTree) return scalar(JSON.stringify(value));
  const of = (each) => treeOf(each, depth + 1);
  if (Array.isArray(value)) return { kind: 'array', parts: value.map((each) => [undefined, of(each)]) };
  return { kind: 'object', parts: Object.entries(value).map(([key, each]) => [JSON.stringify(key), of(each)]) };
}

function written({ kind, raw, parts }) {
  if (kind === 'scalar') return raw;
  if (kind === 'array') return `[${parts.map(([, each]) => written(each)).join(',')}]`;
  return `{${parts.map(([key, each]) => `${key}:${written(each)}`).join(',')}}`;
}

/** Every place where a value stands: the list that holds it, and its index there. */
function placesIn(tree, places = []) {
  (tree.parts ?? []).forEach((part, index) => {
    places.push({ owner: tree, index });
    placesIn(part[1], places);
  });
  return places;
}

function change(random, tree, donor, inner) {
  const places = placesIn(tree);
  if (places.length === 0) return;
  const { owner, index } = random.pick(places);
  const part = owner.parts[index];
  const other = random.pick(places);
  const changes = [
    () => owner.parts.splice(index, 1),
    () => owner.parts.splice(random.int(index + 1), 0, [part[0], strangeValue(random, donor)]),
    () => other.owner !== part[1] && swap(owner, index, other),
    () => (part[1] = scalar(random.chance(0.5) ? oddNumber(random) : JSON.stringify(oddText(random)))),
    () => (part[1] = nested(random, part[1])),
    () => (part[0] &&= random.chance(0.5) ? keyFrom(random, donor) : JSON.stringify(oddText(random))),
    () => (part[1] = strangeValue(random, donor)),
    () => spoilString(random, part, inner),
    () => spoilString(random, part, inner),
    () => spoilString(random, part, inner),
    () => owner.kind === 'object' && manyMembers(random, owner),
    () => (owner.kind = owner.kind === 'object' ? 'array' : owner.kind),
  ];
  random.pick(changes)();
}

function swap(owner, index, other) {
  const [a, b] = [owner.parts[index], other.owner.parts[other.index]];
  if (a && b) [a[1], b[1]] = [scalar(written(b[1])), scalar(written(a[1]))];
}

function scalar(raw) {
  return { kind: 'scalar', raw };
}

function strangeValue(random, donor) {
  const values = [
    () => oddNumber(random),
    () => JSON.stringify(oddText(random)),
    () => random.pick(['null', 'true', 'false', '{}', '[]', '[[]]', 'NaN', 'undefined', '"', "'a'", '']),
    () => JSON.stringify(pumped(random)),
    () => partOf(random, donor),
    // As they are, though JSON wants them escaped.
    () => `"${oddText(random)}"`,
  ];
  return scalar(random.pick(values)());
}

function partOf(random, donor) {
  const found = treeIn(donor);
  const places = found ? placesIn(found.tree) : [];
  if (places.length === 0) return JSON.stringify(donor.slice(0, 10_000));
  const { owner, index } = random.pick(places);
  return written(owner.parts[index][1]);
}

function keyFrom(random, donor) {
  const keys = donor.match(/"\w{1,40}"(?=\s*:)/g);
  return keys ? random.pick(keys) : '"EventID"';
}

/** The value within so many objects or arrays, or so many of them without an end. */
function nested(random, value) {
  const depth = random.pick(depths);
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['{"EventID":', '}'],
    ['{"param1":[', ']}'],
  ]);
  return scalar(open.repeat(depth) + written(value) + (random.chance(0.9) ? close.repeat(depth) : ''));
}

function manyMembers(random, owner) {
  const name = random.pick(['param', 'EventID', 'Data', 'x']);
  const same = random.chance(0.5);
  for (let n = random.size(5_000); n > 0; n--) {
    owner.parts.push([JSON.stringify(same ? name : `${name}${n}`), scalar(random.chance(0.5) ? String(n) : '"2002"')]);
  }
}

function spoilString(random, part, inner) {
  const [, value] = part;
  if (value.kind !== 'scalar') return;
  const isString = value.raw.startsWith('"');
  let text = value.raw;
  try {
    if (isString) text = JSON.parse(value.raw);
  } catch {
    // It was spoilt before.
  }
  const isRecord = /^\s*[<{]/.test(text) && random.chance(0.7);
  const changed = isRecord ? inner(text) : spoilt(random, text);
  part[1] = scalar(isString || random.chance(0.5) ? JSON.stringify(changed) : changed);
}
