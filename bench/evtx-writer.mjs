/** The writer of binary logs that the tests have, for benchmarks. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** @param folder where it is compiled to */
export async function writerModule(folder) {
  const { default: ts } = await import('typescript');
  const source = await readFile(new URL('../test/support/evtx-writer.ts', import.meta.url), 'utf8');
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
  const compiled = path.join(folder, 'evtx-writer.mjs');
  await writeFile(compiled, ts.transpileModule(source, { compilerOptions: options }).outputText);
  return import(pathToFileURL(compiled).href);
}
