/** What the tests need of a machine: Node, npm, a shell and git; whatever else they start is asked for first. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const onEveryMachine = new Set(['node', 'npm', 'npx', 'git', 'sh']);
/** `chown` to an account of a mail server that was found. */
const withAnotherOne = new Set(['chown']);
const starts = /\b(?:spawn|spawnSync|exec|execSync|execFile|execFileSync)\(\s*'([^']+)'/g;
const asks = /\b(?:hasProgram|findProgram|pathOfProgram|exporterFinds)\(([^)]*)\)|\bprograms = \[([^\]]*)\]/g;

const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(?:ts|tsx|mjs)$/.test(name) && !/^(?:support\/)?programs\./.test(name))
  .map((name) => ({ name, text: readFileSync(path.join(import.meta.dirname, name), 'utf8') }));

/** Names of programs that a test asks for before it starts them. */
function askedFor(text: string): string[] {
  return [...text.matchAll(asks)].flatMap(([, names, more]) =>
    [...(names ?? more ?? '').matchAll(/'([^']+)'/g)].map(([, name = '']) => name),
  );
}

test('0: every program that a test starts beyond node, npm, npx, git and sh is asked for through programs.ts', () => {
  const asked = new Set(files.flatMap(({ text }) => askedFor(text)));
  const started = files.flatMap(({ name, text }) =>
    [...text.matchAll(starts)].map(([, program = '']) => ({ name, program: program.split(' ')[0] ?? '' })),
  );
  const optional = started.filter(({ program }) => !onEveryMachine.has(program));
  // As proof that the search finds what it looks for.
  expect(optional.map(({ program }) => program)).toEqual(expect.arrayContaining(['promtool', 'mkfifo', 'wine', 'ip']));
  expect(optional.filter(({ program }) => !asked.has(program) && !withAnotherOne.has(program))).toEqual([]);
});

test('0: a file that asks for a program does so through programs.ts, which is loud about one that is not there', () => {
  const asking = files.filter(({ text }) => /\b(?:hasProgram|findProgram|pathOfProgram|exporterFinds)\(/.test(text));
  expect(asking.length).toBeGreaterThan(10);
  for (const { name, text } of asking) expect(text, name).toMatch(/from '(?:\.\.?\/)+(?:support\/)?programs\.js'/);
});
