/**
 * Puts the program that `tsc` has built into few files, packages included: a start reads a dozen of them in place of a thousand.
 * Run by `npm run build`, behind `tsc`.
 *
 * `dist/main.js` stays the entry. What a start loads step by step keeps its name, all other code stands in `dist/part-*.js`, loaded
 * with the command or the page that needs it. Single modules stay in `dist`, for tests and benchmarks. Stack traces name
 * the functions; with `NODE_OPTIONS=--enable-source-maps` the lines of the sources, too.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

const source = path.dirname(import.meta.dirname);
const target = path.join(source, '../dist');

/** Stands for the folder of the program until it is known how deep in it the code stands. */
const inTarget = 'folder-of-the-program/';
/** Loaded one after the other by a start, each by its own name. */
const steps = ['main', 'commands/serve', 'config/config', 'runtime/log', 'serve', 'ledger/ledger', 'web/http/server'];

/** Endings of names for all types that are ever answered: of the others a start would sort two thousand. */
const answered = new Set(['css', 'html', 'js', 'json', 'svg', 'txt', 'zip']);

for (const name of await readdir(target)) if (name.startsWith('part-')) await rm(path.join(target, name));
const { outputFiles } = await build({
  entryPoints: steps.map((name) => path.join(source, `${name}.ts`)),
  outbase: source,
  outdir: target,
  chunkNames: 'part-[name]-[hash]',
  bundle: true,
  write: false,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'inline',
  logLevel: 'warning',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  // Only for some, and not code alone: native libraries, WebAssembly.
  external: ['koffi', '@platformatic/kafka'],
  // Packages in CommonJS ask for modules of Node with require.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
  plugins: [placesOfModules(), withoutUnused(), fewMediaTypes()],
});
for (const { path: file, text } of outputFiles) {
  const up = path.relative(path.dirname(file), target).split(path.sep).join('/') || '.';
  await writeFile(file, text.replaceAll(inTarget, `${up}/`));
}

/** A file that a module reads stands beside that module, not beside the file that the module has become a part of. */
function placesOfModules() {
  return {
    name: 'places-of-modules',
    setup(hooks) {
      hooks.onLoad({ filter: /\.tsx?$/ }, async ({ path: file }) => {
        if (!file.startsWith(source + path.sep)) return undefined;
        const text = await readFile(file, 'utf8');
        if (!text.includes('import.meta.url')) return undefined;
        const module = path
          .relative(source, file)
          .split(path.sep)
          .join('/')
          .replace(/\.tsx?$/, '.js');
        const place = `new URL('${inTarget}${module}', import.meta.url).href`;
        return { contents: text.replaceAll('import.meta.url', place), loader: 'ts' };
      });
    },
  };
}

/**
 * What packages load and nothing here uses, though it is a good part of what a start would load: bodies of requests, queries
 * (read with URLSearchParams, `query parser` is off), spans that a counter refers to, threads that write a log.
 */
function withoutUnused() {
  return {
    name: 'without-unused',
    setup(hooks) {
      const unused = /^(?:body-parser|qs|@opentelemetry\/api|thread-stream)$/;
      hooks.onResolve({ filter: unused }, ({ path: name }) => ({ path: name, namespace: 'unused' }));
      hooks.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {};' }));
      // It looks for a package to try patterns with, which tinyglobby does itself.
      hooks.onLoad({ filter: /[\\/]fdir[\\/]dist[\\/]index\.mjs$/ }, async ({ path: file }) => {
        const text = await readFile(file, 'utf8');
        return { contents: text.replace('createRequire(import.meta.url)', 'undefined'), loader: 'js' };
      });
    },
  };
}

function fewMediaTypes() {
  return {
    name: 'few-media-types',
    setup(hooks) {
      hooks.onLoad({ filter: /[\\/]mime-db[\\/]db\.json$/ }, async ({ path: file }) => {
        const all = Object.entries(JSON.parse(await readFile(file, 'utf8')));
        const few = all.filter(([, { extensions = [] }]) => extensions.some((each) => answered.has(each)));
        return { contents: JSON.stringify(Object.fromEntries(few)), loader: 'json' };
      });
    },
  };
}
