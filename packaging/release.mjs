/**
 * Makes what a release consists of, with checksums: npm run release [FOLDER]. Wants Debian and a clean checkout, so that the
 * bytes belong to a commit; made again from the same commit they are the same (docs/install.md says as far as what).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildChart } from './chart.mjs';
import { buildDeb } from './deb.mjs';
import { buildExe } from './exe.mjs';
import { buildImage } from './image.mjs';
import { buildMsi } from './msi.mjs';
import { billOfMaterials } from './sbom.mjs';

const root = path.dirname(import.meta.dirname);
const run = (name, ...args) => execFileSync(name, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });

/** Lines of `sha256sum` for all files of a folder, by name. */
export async function checksums(folder) {
  const names = (await readdir(folder)).filter((name) => name !== 'SHA256SUMS').sort();
  const lines = names.map(async (name) => {
    const content = await readFile(path.join(folder, name));
    return `${createHash('sha256').update(content).digest('hex')}  ${name}\n`;
  });
  return (await Promise.all(lines)).join('');
}

/** What the parts are built with, and the package of Debian that has it. */
const tools = { 'dpkg-deb': 'dpkg', 'apt-get': 'apt', tar: 'tar', wixl: 'wixl', msibuild: 'msitools' };

/** @returns the tools that are missing, by their packages */
function missingTools() {
  return Object.entries(tools).flatMap(([tool, of]) => (spawnSync(tool, ['--version']).error ? [of] : []));
}

/** @throws when the folder holds anything but an earlier release */
export async function demandReplaceable(folder) {
  const names = existsSync(folder) ? await readdir(folder) : [];
  const sums = names.includes('SHA256SUMS') ? await readFile(path.join(folder, 'SHA256SUMS'), 'utf8') : '';
  const ours = sums
    .split('\n')
    .flatMap((line) => /^[0-9a-f]{64} {2}(send-connector-exporter.*)$/.exec(line)?.[1] ?? []);
  const isRelease = names.every((name) => name.startsWith('SHA256SUMS') || ours.includes(name));
  if (!isRelease) throw new Error(`${folder}: expected an empty folder or that of an earlier release`);
}

/** Has a folder made aside and put in the place of an earlier release: one that fails half way leaves that as it is. */
export async function replacing(folder, make) {
  await demandReplaceable(folder);
  await mkdir(path.dirname(folder), { recursive: true });
  const aside = await mkdtemp(`${folder}.`);
  try {
    await make(aside);
    await chmod(aside, 0o755);
    await rm(folder, { recursive: true, force: true });
    await rename(aside, folder);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/**
 * Gives the files of a checkout the rights that git knows, which the umask of whoever cloned it has narrowed: npm packs them
 * as they are.
 * @param checkout the folder of the checkout
 */
export async function setRights(checkout) {
  const listed = execFileSync('git', ['ls-files', '--stage', '-z'], { cwd: checkout, encoding: 'utf8' });
  for (const line of listed.split('\0').filter((each) => each.startsWith('100'))) {
    const [entry, name] = [line.slice(0, 6), line.slice(line.indexOf('\t') + 1)];
    await chmod(path.join(checkout, name), entry === '100755' ? 0o755 : 0o644);
  }
}

/** Makes a release in a folder, in place of an earlier one. @returns the names of its files */
export async function release(folder) {
  await replacing(folder, makeRelease);
  return (await readdir(folder)).sort();
}

async function makeRelease(folder) {
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  process.umask(0o022);
  await setRights(root);
  run('npm', 'pack', '--silent', '--pack-destination', folder);
  const program = await buildExe(folder);
  await buildMsi({ program, folder });
  await buildDeb({ folder });
  await buildChart({ folder });
  const { packages } = await buildImage({ folder });
  const bill = await billOfMaterials(version, packages);
  await writeFile(path.join(folder, `send-connector-exporter-${version}.cdx.json`), bill);
  await writeFile(path.join(folder, 'SHA256SUMS'), await checksums(folder));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const changed = run('git', 'status', '--porcelain');
  if (changed !== '') {
    console.error(`expected a clean checkout: commit or put away\n${changed}`);
    process.exit(1);
  }
  const missing = missingTools();
  if (missing.length > 0) {
    console.error(`expected tools that are not installed: apt-get install ${missing.join(' ')}`);
    process.exit(1);
  }
  const folder = path.resolve(process.argv[2] ?? path.join(root, 'build/release'));
  try {
    console.log((await release(folder)).map((name) => path.join(folder, name)).join('\n'));
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
