/** Turns what YAML and the schema complain about into one line per mistake: where, what was expected, what was found. */
import { isMap, isNode, isScalar, isSeq, type Document, type LineCounter } from 'yaml';
import type * as z from 'zod';
import { closestTo } from '../runtime/did-you-mean.js';
import { pathText } from './path-text.js';

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

/** A YAML file as parsed, for finding the line of a path. */
export type YamlFile = { readonly name: string; readonly document: Document.Parsed; readonly lines: LineCounter };

/** Mistakes in the YAML itself, for instance `config.yml:3: not readable as YAML: Map keys must be unique`. */
export function syntaxMistakes(file: YamlFile): string[] {
  return inOrder(file.name, syntaxOf(file), file.document.errors.length);
}

type Mistake = { readonly line: number; readonly text: string };

function syntaxOf({ name, document, lines }: YamlFile): Mistake[] {
  return document.errors.slice(0, mostShown).map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    return { line, text: `${name}:${line}:${col}: not readable as YAML: ${wordsOf(error)}` };
  });
}

function inOrder(name: string, found: readonly Mistake[], all: number): string[] {
  const shown = [...found].sort((a, b) => a.line - b.line).slice(0, mostShown);
  return [...shown.map(({ text }) => text), ...andMore(name, all)];
}

/** What the parser says, or a sentence of ours where its words speak to programmers. */
function wordsOf({ code, message }: Document.Parsed['errors'][number]): string {
  if (code === 'MULTIPLE_DOCS') return 'expected one document, got a second one: remove this line of ---';
  if (code === 'BAD_DQ_ESCAPE') return backslashWords(message);
  if (code === 'TAB_AS_INDENT') return 'expected blanks before a key, got a tab: YAML indents with blanks only';
  return message.replace(/\s+/g, ' ');
}

function backslashWords(message: string): string {
  if (!message.startsWith('Invalid escape')) return message;
  return `${message.replace(/\s+/g, ' ')}: in double quotes a backslash begins one; write the text in single quotes, as it is`;
}

/** More than anybody reads at a time; the rest would be found after these are mended. */
const mostShown = 100;

function andMore(name: string, mistakes: number): string[] {
  return mistakes <= mostShown ? [] : [`${name}: and ${mistakes - mostShown} more mistakes, not shown`];
}

/**
 * Mistakes in the values, in the order of the file, for instance
 * `config.yml:7: destinations.static[2]: expected host:port, got "relay:70000"`; and those in the YAML that did not keep the
 * values from being read. Of a value that is one of those already nothing more is told.
 */
export function fileMistakes(file: YamlFile, value: unknown, issues: readonly Issue[]): string[] {
  const told = pathsTold(file);
  const all = spread(issues).filter(({ path }) => !told.has(JSON.stringify(path)));
  const found = all.slice(0, mostShown).map(({ path, issue }) => {
    const line = lineOf(file, path, issue.code === 'unrecognized_keys');
    const place = pathText(path);
    return { line, text: `${file.name}:${line}: ${place}${place === '' ? '' : ': '}${sentence(issue, path, value)}` };
  });
  return inOrder(file.name, [...syntaxOf(file), ...found], all.length + file.document.errors.length);
}

/** The values in which the mistakes of the YAML stand, found in one walk: to look for each by its path costs a walk each. */
function pathsTold({ document }: YamlFile): ReadonlySet<string> {
  const places = document.errors.map(({ pos: [at] }) => at).sort((a, b) => a - b);
  const told = new Set<string>();
  let next = 0;
  const walk = (node: unknown, path: Path): void => {
    if (isMap(node))
      for (const { key, value } of node.items) walk(value, [...path, String(isScalar(key) ? key.value : key)]);
    else if (isSeq(node)) for (const [at, item] of node.items.entries()) walk(item, [...path, at]);
    else if (isScalar(node) && node.range) {
      const [from, to] = node.range;
      while ((places[next] ?? Infinity) < from) next++;
      if ((places[next] ?? Infinity) < to) told.add(JSON.stringify(path));
    }
  };
  if (places.length > 0) walk(document.contents, []);
  return told;
}

/** Mistakes in flags, for instance `--probe.allow: expected an IP address or ..., got "everything"`. */
export function flagMistakes(flagOf: (path: Path) => string, value: unknown, issues: readonly Issue[]): string[] {
  return spread(issues).map(({ path, issue }) => `${flagOf(path)}: ${sentence(issue, path, value)}`);
}

/** One entry per mistake: zod tells all unknown keys of a mapping in one issue. */
function spread(issues: readonly Issue[]): { path: Path; issue: Issue }[] {
  return issues.flatMap<{ path: Path; issue: Issue }>((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: [...issue.path, key], issue }))
      : [{ path: issue.path, issue }],
  );
}

function sentence(issue: Issue, path: Path, value: unknown): string {
  if (issue.code === 'custom' && issue.params?.secret === true)
    return `expected ${issue.message}; what was found is not shown here`;
  if (issue.code !== 'unrecognized_keys') return `expected ${issue.message}, got ${found(valueAt(value, path))}`;
  const key = String(path.at(-1));
  const known = key.length > longestGuess ? [] : issue.message.replace(/^one of /, '').split(', ');
  const near = closestTo(key, known);
  return `expected ${issue.message}, got the unknown key ${found(key)}${near === undefined ? '' : ` (did you mean ${near}?)`}`;
}

/** A longer word is nobody's slip of the pen. */
const longestGuess = 64;

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (so, part) => (typeof so === 'object' && so !== null ? (so as Record<PropertyKey, unknown>)[part] : undefined),
    value,
  );
}

/** The value as a person would write it; long ones cut, so that a message stays one line. */
function found(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}

/** The line of a value, or of the nearest thing around it that the file has. */
export function lineOf({ document, lines }: YamlFile, path: Path, ofKey: boolean): number {
  for (let length = path.length; length >= 0; length--) {
    const start =
      length === path.length && ofKey ? keyOffset(document, path) : nodeOffset(document, path.slice(0, length));
    if (start !== undefined) return lines.linePos(start).line;
  }
  return 1;
}

function nodeOffset(document: Document.Parsed, path: Path): number | undefined {
  const node: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  // A key without a value has a node that begins where the value would: the line of the key is the better place.
  const absent = isScalar(node) && node.value === null;
  return (absent ? keyOffset(document, path) : undefined) ?? (isNode(node) ? node.range?.[0] : undefined);
}

function keyOffset(document: Document.Parsed, path: Path): number | undefined {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return undefined;
  const key = parent.items.map((pair) => pair.key).find((key) => isScalar(key) && key.value === path.at(-1));
  return isNode(key) ? key.range?.[0] : undefined;
}
