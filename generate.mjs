/** Writes the committed files that are made from TypeScript: alert rules, dashboards, the reference of metrics. Run by `npm run generate`. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';

const root = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: {
    'exporter-url': { type: 'string', default: 'http://localhost:10202' },
    'grafana-url': { type: 'string', default: 'http://localhost:3000' },
    'datasource-uid': { type: 'string', default: 'prometheus' },
    'time-scale': { type: 'string', default: '1' },
    output: { type: 'string', default: root },
  },
});
const timeScale = Number(values['time-scale']);
if (!(timeScale > 0)) throw new Error(`--time-scale: expected a number above 0, got ${values['time-scale']}`);
const options = {
  exporterUrl: values['exporter-url'].replace(/\/+$/, ''),
  grafanaUrl: values['grafana-url'].replace(/\/+$/, ''),
  timeScale,
  datasourceUid: values['datasource-uid'],
};

const { ruleFiles } = await load('alerts/generate.ts');
const { dashboardFiles } = await load('dashboards/generate.ts');
const { referenceFiles } = await load('docs/generate.ts');
const { composeAlertmanager } = await load('alerts/compose-alertmanager.ts');
const example = await readFile(join(root, 'alerts/alertmanager.yml'), 'utf8');
const files = {
  ...ruleFiles(options),
  ...dashboardFiles(options),
  ...referenceFiles(),
  'examples/docker/alertmanager.yml': composeAlertmanager(example),
};
for (const [name, text] of Object.entries(files)) {
  const path = join(values.output, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  console.log(`wrote ${name}`);
}

async function load(path) {
  const { module } = await runnerImport(join(root, path), { configFile: false, logLevel: 'error' });
  return module;
}
