/**
 * Every regular expression of the product against texts that make bad ones slow: pieces of the expression itself and
 * common characters, again and again, with an end that does not fit. The linter looks at their structure; here they run.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const source = new URL('../src/', import.meta.url).pathname;
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));

type Found = { readonly place: string; readonly expression: RegExp };

function expressionsIn(name: string): Found[] {
  const file = ts.createSourceFile(name, readFileSync(path.join(source, name), 'utf8'), ts.ScriptTarget.Latest, true);
  const found: Found[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart());
      const end = node.text.lastIndexOf('/');
      const expression = new RegExp(node.text.slice(1, end), node.text.slice(end + 1));
      found.push({ place: `${name}:${line + 1} ${node.text}`, expression });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

const pumpedLength = 20_000;
/** Work that grows with the square of the text takes seconds, linear work less than a millisecond. */
const limitMs = 150;

/** What is repeated: characters, literal pieces of the expression, and pairs of both. */
function pumpsFor({ source: text }: RegExp): string[] {
  const plain = text
    .replace(/\\[dD]/g, '0')
    .replace(/\\[sS]/g, ' ')
    .replace(/\\[wW]/g, 'a')
    .replace(/\\[pP]\{[^}]*\}/g, 'a')
    .replace(/\\x([0-9a-f]{2})/gi, (_whole, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    .replace(/\\n/g, '\n')
    .replace(/\\r/g, '\r')
    .replace(/\\t/g, '\t')
    .replace(/\\(.)/g, '$1');
  const pieces = plain.split(/[[\](){}|?*+^$.]+/).filter((piece) => piece !== '');
  const characters = [...new Set(Array.from(`${pieces.join('')} \n\t\ra0Z".,:;/%#<[({=-+_\\'xé`))];
  const joined = pieces.join('');
  return [
    ...characters,
    ...pieces,
    joined,
    ...characters.map((each) => joined + each),
    ...characters.map((each) => ` ${each}`),
  ];
}

function millisecondsOf(expression: RegExp, text: string): number {
  const begun = performance.now();
  expression.lastIndex = 0;
  if (expression.global) text.replace(expression, '');
  else expression.exec(text);
  return performance.now() - begun;
}

/** The least of three: the machine may be busy. */
function isSlow(expression: RegExp, text: string): boolean {
  for (let attempt = 0; attempt < 3; attempt++) if (millisecondsOf(expression, text) < limitMs) return false;
  return true;
}

/** A text that takes too long, told by what is repeated in it. */
function slowPumpOf(expression: RegExp): string | undefined {
  const pumps = pumpsFor(expression);
  const joined = pumps.find((pump) => pump.length > 1) ?? '';
  for (const pump of new Set(pumps.filter((each) => each !== ''))) {
    const pumped = pump.repeat(Math.ceil(pumpedLength / pump.length));
    for (const text of [pumped, `${pumped}\u0001`, `${joined}${pumped}\u0001`, `\u0001${pumped}${joined}\u0001`]) {
      if (isSlow(expression, text)) return pump;
    }
  }
  return undefined;
}

describe('no regular expression is worse than linear', () => {
  const all = files.flatMap(expressionsIn);

  test('all are found', () => {
    expect(all.length).toBeGreaterThan(150);
  });

  test.each(all.map(({ place, expression }) => [place, expression] as const))('%s', (_place, expression) => {
    expect(slowPumpOf(expression)).toBeUndefined();
  });

  test.each([/\s+$/, /(\d+)%/])(
    '%s would be found',
    (expression) => {
      expect(slowPumpOf(new RegExp(expression))).toBeDefined();
    },
    120_000,
  );
});
