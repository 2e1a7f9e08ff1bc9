/** What people install from examples/: as far as it can be checked without the systems it is for. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { Deployment } from 'kubernetes-models/apps/v1';
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { ConfigMap, PersistentVolumeClaim, Service } from 'kubernetes-models/v1';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfig } from '../../src/config/config.js';
import { monitoringFileNames } from '../../src/web/generated/monitoring-files.js';
import { defaultPorts } from '../../src/probes/policy.js';
import { temporaryFolder } from '../support/folder.js';
import { runTool } from '../support/promtool.js';

const examples = path.resolve(import.meta.dirname, '../../examples');

test.each([
  ['systemd/send-connector-exporter.service', /^Environment=UV_THREADPOOL_SIZE=16$/m],
  ['docker/Dockerfile', /^ENV UV_THREADPOOL_SIZE=16$/m],
  ['../src/commands/service/definition.ts', /environment: \['UV_THREADPOOL_SIZE=16'\]/],
])('1.4: %s gives Node threads enough for mounts that hang', async (file, setting) => {
  expect(await readFile(path.join(examples, file), 'utf8')).toMatch(setting);
});

describe('systemd', () => {
  const unit = path.join(examples, 'systemd/send-connector-exporter.service');

  test('rates the unit OK, and knows every setting of it', (context) => {
    const { output } = runTool(context, 'systemd-analyze', ['security', '--offline=true', '--no-pager', unit]);
    const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(output)?.[1]);
    expect(exposure, output).toBeGreaterThan(0);
    // Below 5 is OK, 5 to 7 MEDIUM.
    expect(exposure).toBeLessThan(2);
    const complaints = runTool(context, 'systemd-analyze', ['verify', unit]).output.split('\n');
    expect(complaints.filter((line) => line !== '' && !line.includes('is not executable'))).toEqual([]);
  });
});

test('19.3 promtool accepts the configurations of Prometheus that docs/fleet.md and the example of an agent show', async (context) => {
  const text = await readFile(path.join(examples, '../docs/fleet.md'), 'utf8');
  const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  const shown = blocks.filter((block) => /^(?:global|scrape_configs):/m.test(block));
  expect(shown).toHaveLength(3);
  const folder = await temporaryFolder();
  const agent = await readFile(path.join(examples, 'push/prometheus-agent.yml'), 'utf8');
  await writeFile(path.join(folder, 'token'), 'x');
  for (const [index, block] of [...shown, agent.replace('/run/secrets/remote-write', 'token')].entries()) {
    const file = path.join(folder, `${index}.yml`);
    await writeFile(file, block);
    const mode = index === shown.length ? ['--agent'] : [];
    expect(runTool(context, 'promtool', ['check', 'config', ...mode, file])).toMatchObject({ code: 0 });
  }
});

describe('containers', () => {
  type Compose = { services: Record<string, { build?: { context: string; dockerfile: string }; volumes: string[] }> };
  const folder = path.join(examples, 'docker');

  test('docker-compose accepts compose.yml', (context) => {
    const asked = runTool(context, 'docker-compose', ['-f', path.join(folder, 'compose.yml'), 'config', '--quiet']);
    expect(asked).toEqual({ code: 0, output: '' });
  });

  test('every file that compose.yml mounts is there, and every port is published on loopback only', async () => {
    const text = await readFile(path.join(folder, 'compose.yml'), 'utf8');
    const { services } = parse(text, { merge: true }) as Compose;
    const mounted = Object.values(services)
      .flatMap(({ volumes }) => volumes)
      .map((volume) => volume.split(':')[0] ?? '')
      .filter((source) => source.startsWith('.') && source !== './events');
    expect(mounted.length).toBeGreaterThan(5);
    for (const source of mounted) expect(existsSync(path.join(folder, source)), source).toBe(true);
    for (const [, ports] of text.matchAll(/ports: \[(.*)\]/g)) expect(ports).toMatch(/^'127\.0\.0\.1:/);
    expect(await loadConfig({ file: path.join(folder, 'config.yml') })).toMatchObject({ ok: true });
  });

  test('the Dockerfile copies what is there and lets in, runs as nobody, and starts what package.json builds', async () => {
    const text = await readFile(path.join(folder, 'Dockerfile'), 'utf8');
    const top = path.dirname(examples);
    const ignore = await readFile(path.join(top, '.dockerignore'), 'utf8');
    const allowed = ignore.split('\n').flatMap((line) => /^!(.+)/.exec(line)?.[1] ?? []);
    const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) => match[1]!.split(' '));
    expect(copied).toContain('src');
    for (const source of copied) {
      expect(existsSync(path.join(top, source)), source).toBe(true);
      expect(
        allowed.some((name) => new RegExp(`^${name.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(source)),
      ).toBe(true);
    }
    // `generate` and /generated read them beside the program.
    for (const name of monitoringFileNames)
      expect(
        copied.some((source) => name.startsWith(`${source}/`)),
        name,
      ).toBe(true);
    expect(text).toMatch(/^USER 65532/m);
    const { bin } = JSON.parse(await readFile(path.join(top, 'package.json'), 'utf8')) as {
      bin: Record<string, string>;
    };
    expect(text).toContain(`"${bin['send-connector-exporter']}"`);
  });
});

describe('Kubernetes', () => {
  type Manifest = { kind: string; apiVersion: string; metadata: { name: string } };
  const models = { Deployment, ServiceMonitor, ConfigMap, PersistentVolumeClaim, Service } as Record<
    string,
    new (manifest: never) => { validate: () => void }
  >;

  async function manifests(file = 'send-connector-exporter.yaml'): Promise<Manifest[]> {
    const text = await readFile(path.join(examples, 'kubernetes', file), 'utf8');
    return parseAllDocuments(text, { merge: true }).map((document) => document.toJS() as Manifest);
  }

  test('every manifest fits the schema of its kind', async () => {
    const all = await manifests();
    expect(all.map(({ kind }) => kind).sort()).toEqual(Object.keys(models).sort());
    for (const manifest of all) new models[manifest.kind]!(manifest as never).validate();
  });

  test('NetworkPolicy and Ingress fit their schemas, the Deployment and the Service, and let every probed port out', async () => {
    const all = await manifests('network.yaml');
    const [policy, ingress] = all as [NetworkPolicy & Manifest, Ingress & Manifest];
    expect(all.map(({ kind }) => kind)).toEqual(['NetworkPolicy', 'Ingress']);
    new NetworkPolicy(policy).validate();
    new Ingress(ingress).validate();
    expect(() => {
      new NetworkPolicy({ spec: { podSelector: {}, policyTypes: 'Egress' } } as never).validate();
    }).toThrow();
    const rest = await manifests();
    const name = (kind: string) => rest.find((one) => one.kind === kind)!.metadata.name;
    expect(policy.spec).toMatchObject({
      podSelector: { matchLabels: { 'app.kubernetes.io/name': name('Deployment') } },
      ingress: [{ ports: [{ port: 'metrics' }] }],
    });
    const open = policy.spec!.egress!.flatMap(({ ports = [] }) => ports.map(({ port }) => port));
    expect(open).toEqual(expect.arrayContaining([...defaultPorts]));
    const rule = ingress.spec!.rules![0]!;
    expect(rule.http!.paths[0]!.backend.service).toEqual({ name: name('Service'), port: { name: 'metrics' } });
    expect(JSON.stringify(rest.find(({ kind }) => kind === 'ConfigMap'))).toContain(`https://${rule.host}`);
    expect(ingress.spec!.tls![0]!.hosts).toEqual([rule.host]);
  });

  test('the references between them hold: labels, ports, claims, the configuration', async () => {
    const all = await manifests();
    const of = (kind: string) => all.find((manifest) => manifest.kind === kind);
    const labels = { 'app.kubernetes.io/name': 'send-connector-exporter' };
    for (const { metadata } of all) expect(metadata).toMatchObject({ labels });
    expect(of('Service')).toMatchObject({ spec: { selector: labels, ports: [{ name: 'metrics', port: 10202 }] } });
    expect(of('ServiceMonitor')).toMatchObject({
      spec: { selector: { matchLabels: labels }, endpoints: [{ port: 'metrics' }] },
    });
    expect(of('Deployment')).toMatchObject({
      spec: {
        replicas: 1,
        strategy: { type: 'Recreate' },
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            containers: [
              { ports: [{ name: 'metrics', containerPort: 10202 }], securityContext: { readOnlyRootFilesystem: true } },
            ],
          },
        },
      },
    });
    const folder = await temporaryFolder();
    await writeFile(
      path.join(folder, 'config.yml'),
      (of('ConfigMap') as Manifest & { data: Record<string, string> }).data['config.yml']!,
    );
    expect(await loadConfig({ file: path.join(folder, 'config.yml') })).toMatchObject({ ok: true });
  });
});

describe('Windows', () => {
  const folder = path.join(examples, 'windows');

  test('every script says that it was not run here, and its brackets and quotes are whole', async () => {
    for (const name of ['Set-ExchangeLogging.ps1', 'Export-SendConnectors.ps1']) {
      const text = await readFile(path.join(folder, name), 'utf8');
      expect(text, name).toContain('NOT RUN where the tests run');
      // Windows PowerShell 5.1 reads a file without a byte order mark in the code page of the machine.
      expect(text, name).toMatch(/^[\t\n\r\x20-\x7e]*$/);
      const code = text
        .replace(/<#[\s\S]*?#>/g, '')
        .replace(/#.*$/gm, '')
        .replace(/"(?:`.|[^"`])*"|'[^']*'/g, '');
      expect(code.match(/["']/g), name).toBeNull();
      for (const [open, close] of [
        ['(', ')'],
        ['{', '}'],
        ['[', ']'],
      ] as const)
        expect(code.split(open).length, `${name} ${open}`).toBe(code.split(close).length);
    }
  });
});
