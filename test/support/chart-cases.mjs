/** Values for the Helm chart, each with the release it is installed as; and values that it refuses, with a word of why. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** What real Helm made of each lies in test/golden/helm, for machines without Helm: `npm run bench -- helm` compares. */
export const fitting = {
  plain: { release: 'exporter', values: {} },
  pair: {
    // As long as Helm lets a name be.
    release: 'exchange-mail-flow-monitoring-for-the-whole-company-x',
    values: {
      replicas: 2,
      image: { repository: 'registry.example/mail/exporter', digest: `sha256:${'ab'.repeat(32)}` },
      config: {
        sources: [
          {
            type: 'kafka',
            brokers: ['kafka1.example:9093'],
            topics: ['windows-events'],
            sasl: { mechanism: 'scram-sha-512', username: 'exporter', passwordFile: '/run/secrets/kafka/password' },
          },
        ],
        probe: { allow: ['10.0.0.0/8'] },
        web: { externalUrl: 'https://exporter.contoso.example/mail/' },
      },
      extraVolumes: [{ name: 'kafka', secret: { secretName: 'kafka' } }],
      extraVolumeMounts: [{ name: 'kafka', mountPath: '/run/secrets/kafka', readOnly: true }],
      serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
      prometheusRule: { enabled: true, grafanaUrl: 'https://grafana.contoso.example/' },
    },
  },
  odd: {
    release: '1st.mail',
    values: {
      replicas: 3,
      probeFromEveryReplica: true,
      nameOverride: '007',
      config: {
        sources: [{ type: 'file', paths: [`/events/it's "ours": {{ .Values }} # all`, '/events/two words'] }],
        web: { listenAddresses: ['[::]:9100', ':9101'], telemetryPath: '/own/metrics', configFile: '/run/web/web.yml' },
      },
      events: { existingClaim: 'null' },
      // The second one is that of the chart.
      podAnnotations: { 'contoso.example/note': 'a "word": {yes}\nand one more', 'checksum/config': 'x' },
      podLabels: { team: 'on', 'app.kubernetes.io/name': 'not-this' },
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      tolerations: [{ key: 'mail', operator: 'Equal', value: 'true', effect: 'NoSchedule' }],
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
      ],
      imagePullSecrets: [{ name: 'registry' }],
      env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'kafka', key: 'token' } } }],
      resources: { limits: { memory: '1.5Gi', cpu: 2 }, requests: { cpu: 0.1 } },
      extraArgs: ['--log.level=debug', '--web.external-url=https://a.example/?"'],
      service: { type: 'NodePort', port: 80, annotations: { prefer: 'true' } },
      serviceMonitor: {
        enabled: true,
        endpoint: {
          scheme: 'https',
          interval: '1m',
          tlsConfig: { insecureSkipVerify: true },
          relabelings: [{ targetLabel: 'site', replacement: 'hq' }],
        },
      },
      state: { size: '10Gi', storageClass: 'true', persistent: true },
      priorityClassName: 'no',
      serviceAccount: { name: '1e3' },
    },
  },
  // 20: a name that is cut between dashes.
  cut: { release: 'exporter', values: { nameOverride: `${'a'.repeat(49)}----b` } },
  pushed: {
    release: 'send-connector-exporter',
    values: {
      config: { sources: [{ type: 'http', listenAddress: ':4318', bearerTokenFile: '/run/push/token' }] },
      extraPorts: [{ name: 'otlp', port: 4318 }],
      extraVolumes: [{ name: 'push', secret: { secretName: 'push' } }],
      extraVolumeMounts: [{ name: 'push', mountPath: '/run/push', readOnly: true }],
      state: { persistent: false },
      podDisruptionBudget: { enabled: false },
      // As for OpenShift, which gives each namespace users of its own; null takes a default away.
      podSecurityContext: { runAsUser: null, runAsGroup: null, fsGroup: null },
      ...Object.fromEntries(['podLabels', 'affinity', 'env', 'tolerations', 'extraArgs'].map((name) => [name, null])),
      serviceMonitor: { enabled: true, interval: '5s', endpoint: null, labels: null },
    },
  },
};

/** Refused by the schema of the values. */
export const unfit = {
  'a setting that does not exist': [{ config: { probes: {} } }, 'probes'],
  'the place of the state': [{ config: { state: { directory: '/data' } } }, 'state'],
  'a value that does not exist': [{ replicaCount: 2 }, 'replicaCount'],
  'less than no replica': [{ replicas: -1 }, 'replicas'],
  'a digest cut off': [{ image: { digest: 'sha256:abcd' } }, 'digest'],
  'a size without a unit it knows': [{ state: { size: '1 GB' } }, 'size'],
  'an address of Grafana that would end its quotes': [
    { prometheusRule: { grafanaUrl: 'https://g.example/"' } },
    'grafanaUrl',
  ],
  'a name that is no name': [{ fullnameOverride: 'Mail_Flow' }, 'fullnameOverride'],
  'a section taken away': [{ service: null }, 'service'],
  'no source': [{ config: { sources: [] } }, 'sources'],
  'sources taken away': [{ config: { sources: null } }, 'sources'],
  'an address for links that would break the rules': [
    { config: { web: { externalUrl: 'https://a.example/x: y' } } },
    'externalUrl',
  ],
  'an address for links without its scheme': [{ config: { web: { externalUrl: 'exporter.example' } } }, 'externalUrl'],
  'an address to listen on without a port': [{ config: { web: { listenAddresses: [':0'] } } }, 'listenAddresses'],
  'a port beyond the last': [{ config: { web: { listenAddresses: [':70000'] } } }, 'listenAddresses'],
  'a claim of nothing': [{ state: { size: '0' } }, 'size'],
  'a mount over the state': [
    { extraVolumeMounts: [{ name: 'a', mountPath: '/var/lib/send-connector-exporter/' }] },
    'mountPath',
  ],
  'a limit spelt wrong': [{ resources: { limit: { memory: '1Gi' } } }, 'limit'],
  'a quantity with a unit it does not know': [{ resources: { limits: { memory: '1GB' } } }, 'memory'],
  'a secret of the registry by its name alone': [{ imagePullSecrets: ['registry'] }, 'imagePullSecrets'],
  'a toleration spelt wrong': [{ tolerations: [{ key: 'a', operator: 'Exist' }] }, 'operator'],
  'a volume without a name': [{ extraVolumes: [{ secret: { secretName: 'kafka' } }] }, 'extraVolumes'],
  'a volume with the name of one of the chart': [{ extraVolumes: [{ name: 'state', emptyDir: {} }] }, 'extraVolumes'],
  'a mount that is no path': [{ extraVolumeMounts: [{ name: 'kafka', mountPath: 'run' }] }, 'mountPath'],
  'a variable that is a number': [{ env: [{ name: 'LIMIT', value: 5 }] }, 'env'],
  'a label that is no label': [{ podLabels: { team: 'mail flow' } }, 'podLabels'],
  'a node label that is a truth value': [{ nodeSelector: { exchange: true } }, 'nodeSelector'],
  'a right spelt wrong': [{ podSecurityContext: { runAsNonroot: false } }, 'runAsNonroot'],
  'a claim that is no name': [{ events: { existingClaim: 'My Claim' } }, 'existingClaim'],
};

/** Refused by the templates. */
export const refused = {
  'senders that reach one of several': [
    { replicas: 2, extraPorts: [{ name: 'otlp', port: 4318 }] },
    'a sender reaches only one of several',
  ],
  'a port that is taken': [{ extraPorts: [{ name: 'otlp', port: 10202 }] }, 'taken by another port'],
  'two ports of one name': [
    {
      extraPorts: [
        { name: 'otlp', port: 4317 },
        { name: 'otlp', port: 4318 },
      ],
    },
    'taken by another port',
  ],
  'an address that only the pod itself reaches': [
    { config: { web: { listenAddresses: ['Localhost:10202'] } } },
    'reached from inside of the pod only',
  ],
};

/** So that what Helm made does not change with every alert and every version. */
export const fixed = {
  version: '1.2.3',
  rules:
    'groups:\n  - name: a\n    rules:\n      - { alert: A, expr: up == 0, annotations: { runbook_url: "http://localhost:10202/runbooks/A", dashboard_url: "http://localhost:3000/d/a" } }\n',
};

/** A sum over the chart and these values: what Helm made of others says nothing. */
export function sumOfChart(folder) {
  const sum = createHash('sha256').update(JSON.stringify([fitting, fixed]));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  // The schema refuses values and changes no manifest.
  const names = files.filter(({ name }) => name !== 'values.schema.json');
  for (const file of names.map((entry) => path.join(entry.parentPath, entry.name)).sort())
    sum.update(path.relative(folder, file)).update(readFileSync(file));
  return sum.digest('hex');
}
