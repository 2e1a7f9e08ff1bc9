/** The bundled program with lines of its sources changed: to make it watch more closely, or to show what a check is good for. */
import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';
import { bundle } from '../../packaging/bundle.mjs';

/** @param file the end of its path */
export type Change = { readonly file: string; readonly from: string; readonly to: string };

/** @throws when a line to change is not in the sources */
export async function bundleWith(changes: readonly Change[]): Promise<string> {
  const left = new Set(changes);
  const text = await bundle([changing(left)]);
  if (left.size > 0) throw new Error(`not found in the sources: ${[...left].map(({ from }) => from).join('; ')}`);
  return text;
}

function changing(left: Set<Change>): Plugin {
  return {
    name: 'changing',
    setup(hooks) {
      for (const change of [...left]) {
        hooks.onLoad({ filter: new RegExp(`${change.file.replaceAll('.', '\\.')}$`) }, async ({ path }) => {
          const text = await readFile(path, 'utf8');
          if (!text.includes(change.from)) return undefined;
          left.delete(change);
          return { contents: text.replace(change.from, change.to), loader: 'ts' };
        });
      }
    },
  };
}
