/** The same rule test in other networks: what federation, a global ruler or a pair of exporters make of its labels. */
import { labelsIn, withLabels, type AlertTest, type ExpectedAlert, type Labels, type RuleTest } from './rule-tests.js';

/** What each series becomes: once for every copy. The first copy is the one that queries of the test ask about. */
export type World = {
  readonly name: string;
  readonly copies: readonly ((labels: Labels) => Labels)[];
  /** Matcher of `ALERTS` for the alerts of the first copy. */
  readonly first: string;
  /** Whether births, restarts and gaps are run as well; in the others they would differ in nothing. */
  readonly whole: boolean;
};

const federated = (labels: Labels): Labels => ({
  ...labels,
  job: 'federate',
  instance: 'prometheus:9090',
  ...(labels.job !== undefined && { exported_job: labels.job }),
  ...(labels.instance !== undefined && { exported_instance: labels.instance }),
});
const named = (more: Labels) => (labels: Labels) => ({ ...labels, ...more });
const twin = ({ instance, ...labels }: Labels): Labels => ({ ...labels, instance: `${instance}-twin` });
/** The labels that ServiceMonitor adds; those of a pod are its own. */
const podded = (labels: Labels): Labels => ({
  ...labels,
  namespace: 'monitoring',
  service: 'exporter',
  endpoint: 'http',
  container: 'exporter',
  pod: `exporter-${labels.instance}`,
});

export const worlds: readonly World[] = [
  {
    name: 'two clusters under one ruler, where job and instance are the same',
    copies: [named({ cluster: 'east' }), named({ cluster: 'west' })],
    first: 'cluster="east"',
    whole: true,
  },
  {
    name: 'federation without honor_labels, where job and instance are those of the other Prometheus',
    copies: [federated, (labels) => federated({ ...labels, job: `${labels.job}-of-another-site` })],
    first: 'exported_job!~".*-of-another-site"',
    whole: true,
  },
  { name: 'a pair of exporters', copies: [named({}), twin], first: 'instance!~".*-twin"', whole: true },
  {
    name: 'a pair of exporters behind federation without honor_labels',
    copies: [federated, (labels) => federated(twin(labels))],
    first: 'exported_instance!~".*-twin"',
    whole: false,
  },
  {
    name: 'a pair of pods with all the labels of a ServiceMonitor',
    copies: [podded, (labels) => podded(twin(labels))],
    first: 'instance!~".*-twin"',
    whole: false,
  },
  {
    name: 'a pair of Prometheus servers behind one ruler',
    copies: [named({ prometheus_replica: 'p-0', replica: 'a' }), named({ prometheus_replica: 'p-1', replica: 'b' })],
    first: 'prometheus_replica!="p-1"',
    whole: false,
  },
];

/** The base test with its series and expectations as they are in this world. */
export function inWorld({ name, copies, first }: World, test: RuleTest): RuleTest {
  return {
    name: `${test.name}; in ${name}`,
    interval: test.interval,
    input_series: copies.flatMap((copy) =>
      test.input_series.map(({ series, values }) => ({ series: withLabels(series, copy(labelsIn(series))), values })),
    ),
    alert_rule_test: test.alert_rule_test?.map((one) => ({ ...one, exp_alerts: expectedIn(copies, one) })),
    promql_expr_test: test.promql_expr_test?.map(({ expr, exp_samples, ...rest }) => ({
      ...rest,
      expr: expr.replace(
        /\b(ALERTS\w*)(?:\{(.*?)\})?/g,
        (_all, series: string, matchers?: string) => `${series}{${[matchers, first].filter(Boolean).join(', ')}}`,
      ),
      exp_samples: exp_samples.map(({ labels, value }) => ({
        ...(labels !== undefined && { labels: sampleIn(copies[0]!, labels) }),
        value,
      })),
    })),
  };
}

/** Labels of an alert as a query gives them: a whole series, or what an aggregation has left of it. */
function sampleIn(copy: World['copies'][number], labels: string): string {
  const given = labelsIn(labels);
  if (given.job !== undefined) return withLabels('{', alertLabels(copy, given));
  return withLabels('{', given.instance === undefined ? given : { ...given, instance: copy(given).instance! });
}

/** What is told by every copy is expected of every copy; what the copies tell together is expected once. */
function expectedIn(copies: World['copies'], { exp_alerts }: AlertTest): readonly ExpectedAlert[] {
  const all = exp_alerts.flatMap((alert) =>
    alert.exp_labels.job === undefined
      ? [alert]
      : copies.map((copy) => {
          const exp_labels = alertLabels(copy, alert.exp_labels);
          return { exp_labels, exp_annotations: annotationsIn(alert, exp_labels) };
        }),
  );
  return [...new Map(all.map((alert) => [JSON.stringify(alert.exp_labels), alert])).values()];
}

/** Where an alert names no instance, it is about all exporters of a pair, and none of their own labels is left. */
function alertLabels(copy: World['copies'][number], labels: Labels): Labels {
  const copied = copy(labels);
  if (labels.instance !== undefined) return sorted(copied);
  const own = ['instance', 'replica', 'pod', 'exported_instance', 'exported_pod', 'prometheus_replica'];
  return sorted(Object.fromEntries(Object.entries(copied).filter(([label]) => !own.includes(label))));
}

function sorted(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** An alert about an exporter names it, and names its twin where the twin is ill. */
function annotationsIn({ exp_labels: base, exp_annotations }: ExpectedAlert, labels: Labels): Labels {
  const [from, to] = [base.instance, labels.exported_instance ?? labels.instance];
  if (from === undefined || to === undefined || from === to) return exp_annotations;
  const renamed = (text: string): string =>
    text
      .replace(` at ${from} `, ` at ${to} `)
      .replace(`instance=${encodeURIComponent(from)}`, `instance=${encodeURIComponent(to)}`);
  return Object.fromEntries(Object.entries(exp_annotations).map(([name, text]) => [name, renamed(text)]));
}
