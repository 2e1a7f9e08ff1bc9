/**
 * The Helm chart: its values against their schema, and what real Helm made of it against the schemas of Kubernetes. Helm itself
 * is not needed: `npm run bench -- helm` compares its manifests with those in test/golden/helm.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PrometheusRule, ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { Ajv, type ValidateFunction } from 'ajv';
import { StatefulSet } from 'kubernetes-models/apps/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Service } from 'kubernetes-models/v1';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { layOutChart } from '../../packaging/chart.mjs';
import { loadConfig } from '../../src/config/config.js';
import { fitting, refused, sumOfChart, unfit } from '../support/chart-cases.mjs';
import { temporaryFolder } from '../support/folder.js';

type Case = keyof typeof fitting;
type Manifest = { readonly kind: string; readonly metadata: { readonly name: string; readonly labels: object } };
type Values = Readonly<Record<string, unknown>>;

const top = path.resolve(import.meta.dirname, '../..');
const cases = Object.keys(fitting) as Case[];
const models = { StatefulSet, ServiceMonitor, PrometheusRule, PodDisruptionBudget, ConfigMap, Service } as Record<
  string,
  new (manifest: never) => { validate: () => void }
>;

async function manifestsOf(name: Case): Promise<Manifest[]> {
  const text = await readFile(path.join(top, `test/golden/helm/${name}.yaml`), 'utf8');
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

async function only(name: Case, kind: string): Promise<Manifest & { readonly spec: never }> {
  const found = (await manifestsOf(name)).filter((manifest) => manifest.kind === kind);
  expect(found, kind).toHaveLength(1);
  return found[0] as Manifest & { readonly spec: never };
}

async function setOf(name: Case) {
  return new StatefulSet((await only(name, 'StatefulSet')) as never);
}

/** As Helm lays values over the defaults: null takes one away. */
function over(defaults: Values, values: Values): Values {
  const isMap = (value: unknown): value is Values =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const merged = Object.entries(values).map(([name, value]) => {
    const usual = defaults[name];
    return [name, isMap(usual) && isMap(value) ? over(usual, value) : value];
  });
  const all = { ...defaults, ...(Object.fromEntries(merged) as Values) };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}

describe('3.3: the values', () => {
  type Chart = { readonly fits: ValidateFunction; readonly defaults: Values };
  let read: Promise<Chart> | undefined;
  const chart = (): Promise<Chart> => (read ??= laidOut());

  async function laidOut(): Promise<Chart> {
    const folder = await temporaryFolder();
    await layOutChart(folder);
    const schema = JSON.parse(await readFile(path.join(folder, 'values.schema.json'), 'utf8')) as object;
    const defaults = parse(await readFile(path.join(folder, 'values.yaml'), 'utf8')) as Values;
    return { fits: new Ajv({ strict: false, allErrors: true }).compile(schema), defaults };
  }

  test('the defaults and those of every case fit the schema', async () => {
    const { fits, defaults } = await chart();
    expect(fits(defaults), JSON.stringify(fits.errors)).toBe(true);
    for (const name of cases) {
      expect(fits(over(defaults, fitting[name].values)), `${name}: ${JSON.stringify(fits.errors)}`).toBe(true);
    }
  });

  test.each(Object.entries(unfit))('%s is refused, by its name', async (_name, [values, why]) => {
    const { fits, defaults } = await chart();
    expect(fits(over(defaults, values))).toBe(false);
    expect(JSON.stringify(fits.errors)).toContain(why);
  });

  test('20: a chart that this one is a part of may switch it off by a condition', async () => {
    const { fits, defaults } = await chart();
    expect(fits(over(defaults, { enabled: true, global: { region: 'eu' } })), JSON.stringify(fits.errors)).toBe(true);
  });

  test('what only the templates can refuse fits the schema, or they would never be asked', async () => {
    const { fits, defaults } = await chart();
    for (const [name, [values]] of Object.entries(refused)) expect(fits(over(defaults, values)), name).toBe(true);
  });
});

describe('3.3: the manifests', () => {
  test('they were made of the chart and the cases as these stand', async () => {
    const made = await readFile(path.join(top, 'test/golden/helm/chart.sha256'), 'utf8');
    expect(made.trim(), 'UPDATE=1 npm run bench -- helm').toBe(sumOfChart(path.join(top, 'packaging/helm')));
  });

  test.each(cases)('%s: each fits the schema of its kind, and has a name that Kubernetes takes', async (name) => {
    const all = await manifestsOf(name);
    expect(all.length).toBeGreaterThanOrEqual(4);
    for (const manifest of all) {
      new models[manifest.kind]!(manifest as never).validate();
      expect(manifest.metadata.name).toMatch(/^[a-z][-a-z0-9]{0,61}[a-z0-9]$/);
    }
    // Kubernetes puts a hash of ten letters and a hyphen behind it, into a label.
    expect((await only(name, 'StatefulSet')).metadata.name.length).toBeLessThanOrEqual(52);
  });

  test.each(cases)('%s: every replica has a configuration that is right, and the first one probes', async (name) => {
    const set = await setOf(name);
    const { data } = (await only(name, 'ConfigMap')) as unknown as { data: Record<string, string> };
    const replicas = set.spec!.replicas!;
    const container = set.spec!.template.spec!.containers[0]!;
    expect(container.args![0]).toBe('--config.file=/etc/send-connector-exporter/$(POD_NAME).yml');
    expect(Object.keys(data)).toEqual(Array.from({ length: replicas }, (_, n) => `${set.metadata!.name!}-${n}.yml`));
    const folder = await temporaryFolder();
    const probing: boolean[] = [];
    for (const [file, text] of Object.entries(data)) {
      await writeFile(path.join(folder, file), text);
      const loaded = await loadConfig({ file: path.join(folder, file) });
      if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
      probing.push(loaded.config.probe.enabled);
      expect(loaded.config.web.listenAddresses[0]!.port).toBe(container.ports![0]!.containerPort);
    }
    const everyone = fitting[name].values.probeFromEveryReplica === true;
    expect(probing).toEqual(probing.map((_, n) => n === 0 || everyone));
  });

  test.each(cases)('%s: labels, ports and claims refer to what is there', async (name) => {
    const all = await manifestsOf(name);
    const set = await setOf(name);
    const labels = set.spec!.template.metadata!.labels!;
    const services = all.filter(({ kind }) => kind === 'Service').map((each) => new Service(each as never));
    for (const { spec } of services) {
      expect(labels).toMatchObject(spec!.selector!);
      const ports = set.spec!.template.spec!.containers[0]!.ports!.map((port) => port.name);
      for (const { targetPort } of spec!.ports!) expect(ports).toContain(targetPort);
    }
    expect(labels).toMatchObject(set.spec!.selector.matchLabels!);
    expect(services.map(({ metadata }) => metadata!.name)).toContain(set.spec!.serviceName);
    const volumes = [
      ...(set.spec!.template.spec!.volumes ?? []).map((volume) => volume.name),
      ...(set.spec!.volumeClaimTemplates ?? []).map((claim) => claim.metadata!.name),
    ];
    const mounts = set.spec!.template.spec!.containers[0]!.volumeMounts!.map((mount) => mount.name);
    expect([...volumes].sort()).toEqual([...mounts].sort());
  });

  test.each(cases)('%s: nobody in it is root or writes to anything but the state', async (name) => {
    const { spec } = (await setOf(name)).spec!.template;
    expect(spec!.automountServiceAccountToken).toBe(false);
    expect(spec!.securityContext).toMatchObject({ runAsNonRoot: true });
    // The values of one case leave the user to the cluster.
    expect(spec!.securityContext!.runAsUser).toBe(name === 'pushed' ? undefined : 65532);
    const { securityContext, volumeMounts } = spec!.containers[0]!;
    expect(securityContext).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
    expect(securityContext!.capabilities!.drop).toEqual(['ALL']);
    const writable = volumeMounts!.filter(({ readOnly }) => readOnly !== true).map(({ mountPath }) => mountPath);
    expect(writable).toEqual(['/var/lib/send-connector-exporter']);
  });

  test('a ServiceMonitor takes one of the two Services, or every replica would be scraped twice; its job is the one of the alerts', async () => {
    const monitor = new ServiceMonitor((await only('pair', 'ServiceMonitor')) as never);
    const wanted = monitor.spec.selector.matchLabels!;
    const services = (await manifestsOf('pair')).filter(({ kind }) => kind === 'Service');
    const matching = services.filter(({ metadata }) =>
      Object.entries(wanted).every(([label, value]) => (metadata.labels as Values)[label] === value),
    );
    expect(matching).toHaveLength(1);
    expect(monitor.spec.endpoints[0]!.relabelings).toContainEqual({
      targetLabel: 'job',
      replacement: 'send-connector-exporter',
    });
  });

  test('20: without a timeout of its own a scrape takes no longer than its interval, which Prometheus would refuse', async () => {
    const monitor = new ServiceMonitor((await only('pushed', 'ServiceMonitor')) as never);
    expect(monitor.spec.endpoints[0]).toMatchObject({ interval: '5s' });
    expect(monitor.spec.endpoints[0]).not.toHaveProperty('scrapeTimeout');
  });

  test('20: relabelings of the values come after the one that names the job', async () => {
    const monitor = new ServiceMonitor((await only('odd', 'ServiceMonitor')) as never);
    expect(monitor.spec.endpoints[0]!.relabelings!.map(({ targetLabel }) => targetLabel)).toEqual(['job', 'site']);
  });

  test('links of the alerts lead to the addresses of the values', async () => {
    const { spec } = new PrometheusRule((await only('pair', 'PrometheusRule')) as never);
    expect(spec.groups![0]!.rules![0]!.annotations).toEqual({
      runbook_url: 'https://exporter.contoso.example/mail/runbooks/A',
      dashboard_url: 'https://grafana.contoso.example/d/a',
    });
  });

  test('where the web configuration may want a password the kubelet asks by the socket, elsewhere over HTTP', async () => {
    const alive = async (name: Case) => (await setOf(name)).spec!.template.spec!.containers[0]!.livenessProbe!;
    expect((await alive('plain')).httpGet).toMatchObject({ path: '/-/healthy', port: 'metrics' });
    expect((await alive('odd')).httpGet).toBeUndefined();
    expect((await alive('odd')).exec!.command![1]).toBe('/usr/share/send-connector-exporter/healthy.mjs');
  });
});
