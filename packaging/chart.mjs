/**
 * Builds the Helm chart as Helm packs it: npm run build:chart [FOLDER]
 *
 * The source in packaging/helm lacks what stands elsewhere: the version, the alert rules, and the schema of the configuration.
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { readable, tarOf } from './oci.mjs';
import { sourceDate } from './source-date.mjs';

const root = path.dirname(import.meta.dirname);
const name = 'send-connector-exporter';

/**
 * Lays the whole chart out in a folder, which `helm` takes as it is.
 * @param given version and alert rules, when they are not those of this checkout
 * @returns its version
 */
export async function layOutChart(folder, given = {}) {
  const { version = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')).version } = given;
  await cp(path.join(import.meta.dirname, 'helm'), folder, { recursive: true });
  const chart = path.join(folder, 'Chart.yaml');
  const text = await readFile(chart, 'utf8');
  await writeFile(chart, text.replace(/^#.*\n/, '').replaceAll(/(ersion:) 0\.0\.0$/gm, `$1 ${version}`));
  const { rules = await readFile(path.join(root, 'alerts/send-connector.rules.yml'), 'utf8') } = given;
  await writeFile(path.join(folder, 'rules.yml'), rules);
  const schema = path.join(folder, 'values.schema.json');
  const values = JSON.parse(await readFile(schema, 'utf8'));
  values.properties.config = await configSchema();
  await writeFile(schema, `${JSON.stringify(values, undefined, 2)}\n`);
  return version;
}

/** That of the configuration file, without what the chart says itself. */
async function configSchema() {
  const schema = JSON.parse(await readFile(path.join(root, 'examples/config.schema.json'), 'utf8'));
  // It is a part of another one here.
  delete schema.$schema;
  delete schema.properties.state;
  const { sources, web } = schema.properties;
  // The program would end at once and say so in its log; Helm says it before anything is changed.
  sources.minItems = 1;
  schema.required = ['sources'];
  web.properties.listenAddresses.items.pattern = String.raw`^\S*:([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$`;
  // It is put into the alert rules as it is.
  web.properties.externalUrl.pattern = String.raw`^https?://[^\s"'\\{}?#]+$`;
  return schema;
}

/** Builds the chart into a folder. @returns its path */
export async function buildChart({ folder }) {
  const stage = await mkdtemp(path.join(tmpdir(), 'chart-'));
  try {
    const version = await layOutChart(path.join(stage, name));
    const packed = tarOf(stage, { epoch: sourceDate(), names: [name], mode: readable });
    const file = path.join(path.resolve(folder), `${name}-chart-${version}.tgz`);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, gzipSync(packed, { level: 9 }));
    return file;
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(await buildChart({ folder: process.argv[2] ?? path.join(root, 'build') }));
}
