/** Reads a YAML file against a schema: what it holds, or every mistake with its line. */
import { isUtf8 } from 'node:buffer';
import {
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  YAMLParseError,
  type Document,
  type DocumentOptions,
  type ParseOptions,
  type SchemaOptions,
} from 'yaml';
import type { z } from 'zod';
import { readPlainFile } from '../plain-file.js';
import { fileMistakes, syntaxMistakes, type YamlFile } from './mistakes.js';

/** What a file holds as its author wrote it and as the schema completes it, or all that is wrong with it. */
export type CheckedFile<Schema extends z.ZodType> =
  | { readonly ok: true; readonly given: z.input<Schema>; readonly checked: z.output<Schema> }
  | { readonly ok: false; readonly mistakes: readonly string[] };

export type ReadOptions = {
  /** How YAML is understood; by default as version 1.2. */
  readonly parse?: ParseOptions & DocumentOptions & SchemaOptions;
  /** What is done to the value before the schema sees it. */
  readonly prepare?: (value: unknown) => unknown;
};

/** A file with nothing but comments has nothing but defaults. Never throws: a file that cannot be read is a mistake. */
export async function readYamlFile<Schema extends z.ZodType>(
  name: string,
  schema: Schema,
  { parse = {}, prepare = (value) => value }: ReadOptions = {},
): Promise<CheckedFile<Schema>> {
  const content = await readText(name);
  if (typeof content !== 'string') return { ok: false, mistakes: [content.mistake] };
  const lines = new LineCounter();
  const document = parseDocument(content, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
    // The parser compares each key with all before it.
    uniqueKeys: false,
    ...parse,
  });
  const file: YamlFile = { name, lines, document };
  const tooDeep = tooDeepMistake(file);
  if (tooDeep !== undefined) return { ok: false, mistakes: [tooDeep] };
  noteRepeatedKeys(document);
  if (document.errors.length > 0) return { ok: false, mistakes: syntaxMistakes(file) };
  const { value: found, mistake } = plainValue(file);
  if (mistake !== undefined) return { ok: false, mistakes: [mistake] };
  const value = prepare(found);
  const check = schema.safeParse(value);
  if (!check.success) return { ok: false, mistakes: fileMistakes(file, value, check.error.issues) };
  return { ok: true, given: value as z.input<Schema>, checked: check.data };
}

/** Settings need five. Whatever goes down much deeper would exhaust the stack of all that read it after the parser. */
const deepest = 100;

function tooDeepMistake({ name, document, lines }: YamlFile): string | undefined {
  const at = offsetOfTooDeep(document);
  if (at === undefined) return undefined;
  const { line, col } = lines.linePos(at);
  return `${name}:${line}:${col}: expected values nested at most ${deepest} levels deep, got more: take out the brackets, braces, dashes or indents that are too many`;
}

function offsetOfTooDeep({ contents, errors }: Document.Parsed): number | undefined {
  let level: readonly unknown[] = [contents];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) return level.map((node) => (isNode(node) ? node.range?.[0] : undefined)).find(isKnown);
    level = level.flatMap((node) =>
      isMap(node) ? node.items.flatMap(({ key, value }) => [key, value]) : isSeq(node) ? node.items : [],
    );
  }
  // So deep that the parser itself gave up.
  return errors.find(({ message }) => message.includes('call stack'))?.pos[0];
}

function isKnown(offset: number | undefined): offset is number {
  return offset !== undefined;
}

/** A key that stands twice in one mapping is an error of the document. */
function noteRepeatedKeys(document: Document.Parsed): void {
  visit(document, {
    Map: (_, { items }) => {
      const known = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key) || key.value === '<<') continue;
        if (known.size === known.add(key.value).size) {
          const [from, to] = key.range ?? [0, 0];
          document.errors.push(new YAMLParseError([from, to], 'DUPLICATE_KEY', 'Map keys must be unique'));
        }
      }
    },
  });
}

const notText = 'expected a YAML file in UTF-8, got bytes that are no such text: save it as UTF-8';

function aliasWords({ message }: Error): string {
  return message.startsWith('Excessive alias count')
    ? `${message}: aliases (*name) that stand for far more than the file holds; write the values out`
    : message;
}

async function readText(name: string): Promise<string | { readonly mistake: string }> {
  try {
    const bytes = await readPlainFile(name);
    return isUtf8(bytes) && !bytes.includes(0) ? bytes.toString('utf8') : { mistake: `${name}: ${notText}` };
  } catch (error) {
    return { mistake: `${name}: expected a readable YAML file, got ${(error as Error).message}` };
  }
}

function plainValue({ name, document }: YamlFile): { value?: unknown; mistake?: string } {
  try {
    return { value: document.toJS() ?? {} };
  } catch (error) {
    // Aliases: without their anchor, or so many that they would fill the memory.
    return { mistake: `${name}: not readable as YAML: ${aliasWords(error as Error)}` };
  }
}
