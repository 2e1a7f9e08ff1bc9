/** The bill of materials (SBOM) that lies in each release. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { shippedNode } from './shipped-node.mjs';

const root = path.dirname(import.meta.dirname);

/**
 * What is in the program, in CycloneDX 1.5: the packages that it needs at run time, with versions, licences and hashes, and
 * the Node in exe and image. From the lock file: `npm sbom --omit dev` also leaves out what a package of development needs too.
 * @param debian the packages of Debian in the image, by name and version
 */
export async function billOfMaterials(version, debian = []) {
  const own = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const components = (await runtimePackages()).map((each) => componentOf(each));
  const node = shippedNode;
  const bill = {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { type: 'application', name: own.name, version, ...licence(own.license) } },
    components: [
      { 'bom-ref': `node@${node}`, type: 'platform', name: 'node', version: node, purl: `pkg:generic/node@${node}` },
      ...new Map(components.map((each) => [each['bom-ref'], each])).values(),
      ...debian.map(ofDebian),
    ],
  };
  return `${JSON.stringify(bill, undefined, 2)}\n`;
}

/** What the program needs at run time, by the lock file: name, version, license, integrity, optional, and its place. */
export async function runtimePackages() {
  const { packages } = JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([place, { dev }]) => place !== '' && dev !== true)
    .map(([place, each]) => ({ ...each, place, name: place.slice(place.lastIndexOf('node_modules/') + 13) }));
}

function componentOf({ name, version, license, integrity, optional }) {
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

function ofDebian({ name, version }) {
  const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=amd64`;
  const properties = [{ name: 'send-connector-exporter:in', value: 'image' }];
  return { 'bom-ref': `debian/${name}@${version}`, type: 'library', name, version, purl, properties };
}

function licence(text) {
  if (text === undefined) return {};
  return { licenses: [/ /.test(text) ? { expression: text } : { license: { id: text } }] };
}
