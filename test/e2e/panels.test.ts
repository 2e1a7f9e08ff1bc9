/** The queries of the dashboards, filled in as Grafana does, find exactly what is chosen in the real Prometheus, whatever its name. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { dashboardFiles } from '../../dashboards/generate.js';
import { chosenErrors, chosenServersByInstance } from '../../dashboards/queries.js';
import { temporaryFolder } from '../support/folder.js';
import { interpolated, type Choices, type Variable } from '../support/grafana-variables.js';
import { startPrometheus, type Prometheus, type Target } from './prometheus.js';
import { vi } from 'vitest';

type Panel = { title: string; targets?: { expr: string }[] };
type Dashboard = { panels: (Panel & { panels?: Panel[] })[]; templating: { list: (Variable & { query: unknown })[] } };

const dashboards = Object.entries(dashboardFiles({ exporterUrl: 'http://localhost:10202' })).map(([file, text]) => {
  const { panels, templating } = JSON.parse(text) as Dashboard;
  const targets = panels
    .flatMap((panel) => [panel, ...(panel.panels ?? [])])
    .flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ what: `${file}: ${title}`, expr })));
  return { file, targets, variables: templating.list };
});

const job = 'send-connector "pair" [a|b]';
const instances = ['[2001:db8::a]:10202', 'exch01.contoso.local:10202', 'exch01xcontoso.local:10202'];
/** Names that a regular expression, a string of PromQL or a list could read as something else; and what they would be taken for. */
const odd = {
  server: ['exch01.contoso.local', 'exch01xcontoso.local', 'exch02'],
  connector: [
    'Relay, "Legacy" <DMZ> & Co',
    'Relay',
    String.raw`Relay (A|B) \\ C:\new\table`,
    'Relay A',
    "it's ^all$ {x} 100% *+?",
    '.*',
    'Büro Außen',
  ],
  destination: ['[2001:db8::1]:25', '2:25', '203.0.113.25:25', '203a0.113.25:25', 'other'],
} as const;
type Odd = keyof typeof odd;
const pairs = odd.connector.flatMap((connector, place) =>
  [0, 2].map((step) => ({
    server: odd.server[(place + step) % odd.server.length]!,
    connector,
    destination: odd.destination[(place + step) % odd.destination.length]!,
  })),
);

/** Every sample of the golden page that names a server, a Send connector or a destination, with each of the odd names. */
function page(): string {
  const golden = readFileSync('test/golden/metrics.txt', 'utf8').split('\n');
  const series = golden.flatMap((line) => {
    if (line.startsWith('#') || line === '') return [];
    return pairs.map((pair) =>
      Object.entries(pair).reduce(
        (text, [label, value]) =>
          text.replace(new RegExp(String.raw`\b${label}="(?:[^"\\]|\\.)*"`), () => `${label}=${labelValue(value)}`),
        line,
      ),
    );
  });
  const byName = new Map(series.map((line) => [line.slice(0, line.lastIndexOf(' ')), line]));
  return [...byName.values(), ''].join('\n');
}

/** Text format: backslash, double quote and line feed are escaped. */
function labelValue(value: string): string {
  return `"${value
    .replaceAll('\\', '\\\\')
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`)}"`;
}

async function serving(text: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4').end(text);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The selectors of an expression. */
function selectorsOf(expression: string): string[] {
  const found: string[] = [];
  parser.parse(expression).iterate({
    enter({ name, from, to }) {
      if (name === 'VectorSelector') found.push(expression.slice(from, to));
    },
  });
  return found;
}

const all: Choices = {
  job: 'All',
  instance: 'All',
  server: 'All',
  connector: 'All',
  destination: 'All',
  step: ['tcp'],
};
/** Every odd name alone, some together, and All. */
const choices: Choices[] = [
  all,
  ...(Object.keys(odd) as Odd[]).flatMap((label) => odd[label].map((value) => ({ ...all, [label]: [value] }))),
  { ...all, job: [job], instance: [instances[0]!] },
  {
    ...all,
    instance: instances.slice(1),
    connector: odd.connector.slice(0, 3),
    destination: odd.destination.slice(0, 2),
  },
  { ...all, server: [odd.server[0]], connector: [odd.connector[2]], destination: odd.destination.slice(2) },
];

async function scraping(context: Parameters<typeof startPrometheus>[0], text: string): Promise<Prometheus> {
  const address = await serving(text);
  const targets: Target[] = instances.map((instance) => ({ address, instance }));
  const prometheus = await startPrometheus(context, await temporaryFolder(), targets, { job });
  await vi.waitFor(
    async () => {
      const up = await prometheus.now('up == 1');
      expect(up).toHaveLength(instances.length);
    },
    { timeout: 30_000, interval: 200 },
  );
  return prometheus;
}

test('the selectors of every panel find exactly the series of what is chosen, and Prometheus takes every query', async (context) => {
  const prometheus = await scraping(context, page());
  const everything = await prometheus.now('{__name__=~".+"}');
  const asked = new Map<string, string[]>();
  for (const { targets, variables } of dashboards) {
    for (const chosen of choices) {
      for (const { what, expr } of targets) {
        const query = interpolated(expr, variables, single(variables, chosen));
        await expect(prometheus.now(query), `${what}: ${query}`).resolves.toBeDefined();
        for (const selector of selectorsOf(query)) {
          const name = /^\w+/.exec(selector)![0];
          const found = asked.get(selector) ?? keysOf(await prometheus.now(selector));
          asked.set(selector, found);
          expect(found, `${what}: ${selector}`).toEqual(
            keysOf(everything.filter((one) => isChosen(one, name, selector, single(variables, chosen)))),
          );
        }
      }
    }
  }
  expect(asked.size).toBeGreaterThan(200);
}, 180_000);

/** A variable that takes one value at a time gets the first one. */
function single(variables: readonly Variable[], chosen: Choices): Choices {
  const one = Object.entries(chosen).map(([name, values]) => {
    const variable = variables.find((each) => each.name === name);
    if (variable === undefined || variable.multi === true) return [name, values];
    return [name, values === 'All' ? [odd.destination[0]] : values.slice(0, 1)];
  });
  return Object.fromEntries(one) as Choices;
}

type Labelled = Awaited<ReturnType<Prometheus['now']>>[number];

/** Whether a series is meant by a selector: by its own fixed matchers, and by the choice in each label that it is selected by. */
function isChosen({ labels }: Labelled, name: string, selector: string, chosen: Choices): boolean {
  if (labels.__name__ !== name) return false;
  for (const [, label = '', value] of selector.matchAll(/(\w+)="([^"]*)"/g)) if (labels[label] !== value) return false;
  for (const [, label = '', value] of selector.matchAll(/(\w+)!="([^"]*)"/g)) if (labels[label] === value) return false;
  return Object.entries(chosen).every(
    ([label, values]) => values === 'All' || !selector.includes(`${label}=~\``) || values.includes(labels[label] ?? ''),
  );
}

function keysOf(series: readonly Labelled[]): string[] {
  return series.map(({ labels }) => JSON.stringify(Object.entries(labels).sort())).sort();
}

test('whatever a Send connector is called, choosing it finds it and nothing else', async (context) => {
  const name = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 30 })
    .map((text) => text.replace(/[`\p{Cc}\p{Cs}]/gu, '') || '\\');
  const names = [...new Set(fc.sample(name, 150))];
  const series = names.map(
    (connector) =>
      `exchange_send_connector_connection_errors_total{server="s",connector=${labelValue(connector)},destination="d"} 1`,
  );
  const prometheus = await scraping(context, [...series, ''].join('\n'));
  const { variables } = dashboards[0]!;
  const selector = `exchange_send_connector_connection_errors_total${chosenErrors}`;
  for (const connector of names) {
    const query = interpolated(selector, variables, { ...all, connector: [connector], instance: [instances[0]!] });
    expect((await prometheus.now(query)).map(({ labels }) => labels.connector)).toEqual([connector]);
  }
  const some = names.slice(0, 40);
  const query = interpolated(selector, variables, { ...all, connector: some, instance: [instances[0]!] });
  expect((await prometheus.now(query)).map(({ labels }) => labels.connector).sort()).toEqual(some.sort());
}, 60_000);

test('queues of windows_exporter are those of the chosen server, by the name that its instance begins with', async (context) => {
  const prometheus = await scraping(context, 'windows_exchange_transport_queues_unreachable{name="_total"} 3\n');
  const { variables } = dashboards[0]!;
  const instancesOf = async (server: Choices[string]): Promise<unknown[]> => {
    const selector = `windows_exchange_transport_queues_unreachable{${chosenServersByInstance}}`;
    const found = await prometheus.now(interpolated(selector, variables, { ...all, server }));
    return found.map(({ labels }) => labels.instance).sort();
  };
  expect(await instancesOf('All')).toEqual([...instances].sort());
  expect(await instancesOf(['EXCH01.contoso.local'])).toEqual(['exch01.contoso.local:10202']);
  expect(await instancesOf(['exch01', 'exch02'])).toEqual(['exch01.contoso.local:10202']);
  expect(await instancesOf(['exch01.contoso'])).toEqual(['exch01.contoso.local:10202']);
  expect(await instancesOf(['exch'])).toEqual([]);
}, 60_000);

test('a dashboard that leaves the escaping to the default would be found out', () => {
  expect(() => interpolated('up{job=~"$job"}', [{ name: 'job' }], all)).toThrow('$job is left');
});
