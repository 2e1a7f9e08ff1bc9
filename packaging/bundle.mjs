/**
 * The whole program as one script, for those that ship no node_modules: the exe, the Debian package, the image.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { glob } from 'tinyglobby';

const root = path.dirname(import.meta.dirname);

/**
 * Text of the whole program as one CommonJS script.
 * @param plugins of esbuild, after our own
 */
export async function bundle(plugins = []) {
  const result = await build({
    // Wherever it is started: esbuild resolves aliases from here, and writes paths from here into the script.
    absWorkingDir: root,
    entryPoints: [path.join(root, 'src/main.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    minifySyntax: true,
    legalComments: 'eof',
    logLevel: 'error',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    // The one with its WebAssembly inside, for there is no file beside the script.
    alias: { '@platformatic/wasm-utils': '@platformatic/wasm-utils/bundled' },
    define: { 'import.meta.url': 'moduleUrl', 'import.meta.dirname': '__dirname' },
    banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
    plugins: [withoutFiles(), ...plugins],
  });
  return result.outputFiles[0].text;
}

/** What is read from the package at run time is put into the script. */
function withoutFiles() {
  return {
    name: 'without-files',
    setup(hooks) {
      hooks.onLoad({ filter: /src\/runtime\/version\.ts$/ }, async () => {
        const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
        return { contents: `export const exporterVersion = () => ${JSON.stringify(version)};` };
      });
      hooks.onLoad({ filter: /src\/web\/pages\/bundled-runbooks\.ts$/ }, async () => {
        const folder = path.join(root, 'alerts/runbooks');
        const names = (await readdir(folder)).filter((name) => name.endsWith('.md')).sort();
        const texts = await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')));
        const entries = names.map((name, index) => [name.replace(/\.md$/, ''), texts[index]]);
        return { contents: `export const bundledRunbooks = new Map(${JSON.stringify(entries)});` };
      });
      hooks.onLoad({ filter: /src\/web\/assets\/bundled-assets\.ts$/ }, async () => {
        const entries = await Promise.all(
          ['style.css', 'refresh.js'].map(async (name) => [
            name,
            await readFile(path.join(root, 'src/web/assets', name), 'utf8'),
          ]),
        );
        return {
          contents: `const assets = new Map(${JSON.stringify(entries)}); export const bundledAsset = (name) => assets.get(name);`,
        };
      });
      hooks.onLoad({ filter: /src\/web\/generated\/bundled-monitoring\.ts$/ }, async () => {
        const wanted = ['alerts/**/*.{yml,tmpl}', 'dashboards/**/*.{json,yml}', '!**/*.test.yml'];
        // In order: glob names them as folders happen to be read, and the same sources must give the same bytes.
        const names = (await glob(wanted, { cwd: root })).sort();
        const texts = await Promise.all(names.map((name) => readFile(path.join(root, name), 'utf8')));
        const entries = names.map((name, index) => [name, texts[index]]);
        return { contents: `export const bundledMonitoring = new Map(${JSON.stringify(entries)});` };
      });
      hooks.onLoad({ filter: /src\/web\/http\/bcrypt-source\.ts$/ }, async () => {
        return { contents: `export const bcryptSource = ${JSON.stringify(await bcryptAlone())};` };
      });
      hooks.onResolve({ filter: /^koffi$/ }, () => ({ path: 'koffi', namespace: 'native' }));
      hooks.onLoad({ filter: /.*/, namespace: 'native' }, () => ({ contents: nativeKoffi, resolveDir: root }));
    },
  };
}

/** bcrypt as one expression, for a worker thread, which has no package to read it from. */
async function bcryptAlone() {
  const result = await build({
    absWorkingDir: root,
    stdin: { contents: "module.exports = require('bcryptjs');", resolveDir: root },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
  });
  return `((module) => { ${result.outputFiles[0].text}\nreturn module.exports; })({ exports: {} })`;
}

/**
 * koffi.node beside the program, or from inside it, written to a folder that nobody else can have made. Folders of
 * earlier runs are removed, as far as they are not in use; not with all that is in them: in the folder for temporary files of
 * Windows anybody may lay one with links in it, and an installer that follows them would remove what they lead to.
 */
const nativeKoffi = `
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sea from 'node:sea';
const prefix = path.join(os.tmpdir(), 'send-connector-exporter-koffi-');
function place() {
  const beside = [path.dirname(process.execPath), __dirname].map((folder) => path.join(folder, 'koffi.node'));
  const found = beside.find((file) => fs.existsSync(file));
  if (found !== undefined) return found;
  for (const name of fs.readdirSync(os.tmpdir())) {
    if (!path.join(os.tmpdir(), name).startsWith(prefix)) continue;
    try { fs.unlinkSync(path.join(os.tmpdir(), name, 'koffi.node')); } catch {}
    try { fs.rmdirSync(path.join(os.tmpdir(), name)); } catch {}
  }
  const file = path.join(fs.mkdtempSync(prefix), 'koffi.node');
  fs.writeFileSync(file, Buffer.from(sea.getAsset('koffi.node')));
  return file;
}
const native = { exports: {} };
process.dlopen(native, place());
export default native.exports;
`;
