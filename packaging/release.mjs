/**
 * Makes what a release consists of, with checksums: npm run release [FOLDER]. Wants a clean checkout, so that the bytes belong
 * to a commit; made again from the same commit they are the same.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildExe } from './exe.mjs';
import { buildMsi } from './msi.mjs';

const root = path.dirname(import.meta.dirname);
const run = (name, ...args) => execFileSync(name, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });

/**
 * What is in the program, in CycloneDX 1.5: the packages that it needs at run time, with versions, licences and hashes, and
 * the Node in the exe. From the lock file: `npm sbom --omit dev` also leaves out what a package of development needs too.
 */
export async function billOfMaterials(version) {
  const { packages } = JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8'));
  const own = packages[''];
  const libraries = Object.entries(packages).filter(([place, { dev }]) => place !== '' && dev !== true);
  const components = libraries.map(([place, each]) =>
    componentOf(place.slice(place.lastIndexOf('node_modules/') + 13), each),
  );
  const node = process.versions.node;
  const bill = {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { type: 'application', name: own.name, version, ...licence(own.license) } },
    components: [
      { 'bom-ref': `node@${node}`, type: 'platform', name: 'node', version: node, purl: `pkg:generic/node@${node}` },
      ...new Map(components.map((each) => [each['bom-ref'], each])).values(),
    ],
  };
  return `${JSON.stringify(bill, undefined, 2)}\n`;
}

function componentOf(name, { version, license, integrity, optional }) {
  const [group, bare] = name.startsWith('@') ? name.split('/') : [undefined, name];
  const [algorithm, digest] = (integrity ?? '').split('-');
  const hash = { alg: 'SHA-512', content: Buffer.from(digest ?? '', 'base64').toString('hex') };
  const url = encodeURIComponent(name).replaceAll('%2F', '/');
  return {
    'bom-ref': `${name}@${version}`,
    type: 'library',
    ...(group !== undefined && { group }),
    name: bare,
    version,
    scope: optional ? 'optional' : 'required',
    ...(algorithm === 'sha512' && { hashes: [hash] }),
    ...licence(license),
    purl: `pkg:npm/${url}@${version}`,
  };
}

function licence(text) {
  if (text === undefined) return {};
  return { licenses: [/ /.test(text) ? { expression: text } : { license: { id: text } }] };
}

/** Lines of `sha256sum` for all files of a folder, by name. */
export async function checksums(folder) {
  const names = (await readdir(folder)).filter((name) => name !== 'SHA256SUMS').sort();
  const lines = names.map(async (name) => {
    const content = await readFile(path.join(folder, name));
    return `${createHash('sha256').update(content).digest('hex')}  ${name}\n`;
  });
  return (await Promise.all(lines)).join('');
}

/** Makes a release in an empty folder. @returns the names of its files */
export async function release(folder) {
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  run('npm', 'pack', '--silent', '--pack-destination', folder);
  const program = await buildExe(folder);
  await buildMsi({ program, folder });
  await writeFile(path.join(folder, `send-connector-exporter-${version}.cdx.json`), await billOfMaterials(version));
  await writeFile(path.join(folder, 'SHA256SUMS'), await checksums(folder));
  return (await readdir(folder)).sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const changed = run('git', 'status', '--porcelain');
  if (changed !== '') {
    console.error(`expected a clean checkout: commit or put away\n${changed}`);
    process.exit(1);
  }
  const folder = path.resolve(process.argv[2] ?? path.join(root, 'build/release'));
  console.log((await release(folder)).map((name) => path.join(folder, name)).join('\n'));
}
