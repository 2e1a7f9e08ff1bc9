/** Reads a YAML file against a schema: what it holds, or every mistake with its line. */
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
import type * as z from 'zod';
import { readPlainFile } from '../runtime/plain-file.js';
import { allIssues } from './kindless.js';
import { fileMistakes, lineOf, syntaxMistakes, type YamlFile } from './mistakes.js';

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

/** A file with nothing but comments, or `null`, has nothing but defaults. Never throws: a file that cannot be read is a mistake. */
export async function readYamlFile<Schema extends z.ZodType>(
  name: string,
  schema: Schema,
  { parse = {}, prepare = (value) => value }: ReadOptions = {},
): Promise<CheckedFile<Schema>> {
  const content = await readText(name);
  if (typeof content !== 'string') return { ok: false, mistakes: [content.mistake] };
  const file = parsed(name, content, parse);
  const { document } = file;
  const tooDeep = tooDeepMistake(file);
  if (tooDeep !== undefined) return { ok: false, mistakes: [tooDeep] };
  noteRepeatedKeys(document);
  notePathsInDoubleQuotes(document, content);
  // An escape that is none spoils its own text; all others can be looked at.
  if (document.errors.some(({ code }) => code !== 'BAD_DQ_ESCAPE'))
    return { ok: false, mistakes: syntaxMistakes(file) };
  const { value: found, mistake } = plainValue(file);
  if (mistake !== undefined) return { ok: false, mistakes: [...syntaxMistakes(file), mistake] };
  const value = prepare(found);
  const check = schema.safeParse(value);
  if (!check.success)
    return { ok: false, mistakes: fileMistakes(file, value, allIssues(schema, value, check.error.issues)) };
  if (document.errors.length > 0) return { ok: false, mistakes: syntaxMistakes(file) };
  return { ok: true, given: value as z.input<Schema>, checked: check.data };
}

/** Finds the line of a setting in a file that was read before; that of what is around it where the file does not have it. */
export async function lineFinder(name: string): Promise<(path: readonly (string | number)[]) => number> {
  const content = await readText(name);
  const file = parsed(name, typeof content === 'string' ? content : '');
  return (path) => lineOf(file, path, false);
}

function parsed(name: string, content: string, parse: ReadOptions['parse'] = {}): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(content, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
    // The parser compares each key with all before it.
    uniqueKeys: false,
    ...parse,
  });
  return { name, lines, document };
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

/**
 * `"C:\\new"` is not the path that it looks like: in double quotes a backslash and an n are the end of a line, and a P
 * (of `Program Files`) the end of a paragraph. Where that is no error of YAML it would only be one of the file system.
 */
function notePathsInDoubleQuotes(document: Document.Parsed, content: string): void {
  const paths: YAMLParseError[] = [];
  visit(document, {
    Scalar: (_, { type, range }) => {
      if (type !== 'QUOTE_DOUBLE' || !range) return;
      const [from, to] = range;
      const written = content.slice(from + 1, Math.min(to - 1, from + longestPath));
      if (!/^(?:[a-z]:|\\\\\w)/i.test(written) || !written.replaceAll('\\\\', '').includes('\\')) return;
      paths.push(new YAMLParseError([from, to], 'BAD_DQ_ESCAPE', pathWords(written)));
    },
  });
  let next = 0;
  // One mistake for each path: what the parser says of its escapes is the same again.
  const others = document.errors
    .sort((a, b) => a.pos[0] - b.pos[0])
    .filter(({ code, pos: [at] }) => {
      while ((paths[next]?.pos[1] ?? Infinity) <= at) next++;
      return code !== 'BAD_DQ_ESCAPE' || (paths[next]?.pos[0] ?? Infinity) > at;
    });
  document.errors = [...others, ...paths].sort((a, b) => a.pos[0] - b.pos[0]);
}

const longestPath = 32_768;

function pathWords(written: string): string {
  // The two backslashes at the beginning of a share are two in single quotes as well.
  const start = written.startsWith('\\\\') ? 2 : 0;
  const rest = written.slice(start).replaceAll('\\\\', '\\');
  const path = `${written.slice(0, start)}${rest}`.replace(/\p{Cc}+/gu, ' ');
  const shown = path.length > 100 ? `${path.slice(0, 100)}...` : path;
  return `in double quotes a backslash is an escape: write the path in single quotes, '${shown}'`;
}

const notText =
  'expected a YAML file in UTF-8, or in UTF-16 with a byte order mark, got bytes that are no such text: save it as UTF-8';

function aliasWords({ message }: Error): string {
  return message.startsWith('Excessive alias count')
    ? `${message}: aliases (*name) that stand for far more than the file holds; write the values out`
    : message;
}

async function readText(name: string): Promise<string | { readonly mistake: string }> {
  try {
    const text = textOf(await readPlainFile(name));
    return text ?? { mistake: `${name}: ${notText}` };
  } catch (error) {
    return { mistake: `${name}: expected a readable YAML file, got ${(error as Error).message}` };
  }
}

/** The encodings of YAML 1.1 and 1.2: PowerShell's `>` writes UTF-16. @returns undefined for what is no text in any */
function textOf(bytes: Buffer): string | undefined {
  const mark = bytes.toString('hex', 0, 2);
  const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8';
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

/** A document of `null`, or of nothing behind `---`, in whatever version of YAML it is read; `""` is a text. */
function isBlank({ contents }: Document): boolean {
  return isScalar(contents) && contents.type === 'PLAIN' && /^(|~|null|Null|NULL)$/.test(contents.source ?? '');
}

function plainValue({ name, document }: YamlFile): { value?: unknown; mistake?: string } {
  try {
    return { value: isBlank(document) ? {} : (document.toJS() ?? {}) };
  } catch (error) {
    // Aliases: without their anchor, or so many that they would fill the memory.
    return { mistake: `${name}: not readable as YAML: ${aliasWords(error as Error)}` };
  }
}
