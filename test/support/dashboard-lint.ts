/** The rules of Grafana's dashboard-linter, as our own checks: each by its name there, and where it is documented. */
import { parser } from '@prometheus-io/lezer-promql';

type Target = { expr: string; datasource?: { uid?: string } };
export type Panel = {
  type: string;
  title?: string;
  description?: string;
  datasource?: { uid?: string };
  targets?: Target[];
  panels?: Panel[];
  fieldConfig?: { defaults: { unit?: string } };
};
export type Variable = {
  name: string;
  type: string;
  label?: string;
  query?: string | { query: string };
  datasource?: { uid?: string };
  multi?: boolean;
  allValue?: string;
  refresh?: number;
};
export type Dashboard = { editable?: boolean; panels: Panel[]; templating: { list: Variable[] } };

/** What a rule objects to: one line for each place. */
export type Rule = {
  readonly name: string;
  readonly source: string;
  readonly check: (dashboard: Dashboard) => string[];
};

const docs = (name: string): string => `https://github.com/grafana/dashboard-linter/blob/main/docs/rules/${name}.md`;
const code = (name: string): string => `https://github.com/grafana/dashboard-linter/blob/main/lint/${name}.go`;

const panelsOf = (dashboard: Dashboard): Panel[] =>
  dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]).filter(({ type }) => type !== 'row');
const queriesOf = (dashboard: Dashboard): { title: string; expr: string }[] =>
  panelsOf(dashboard).flatMap(({ title = '', targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
const asksFor = ({ query = '' }: Variable): string => (typeof query === 'string' ? query : query.query);

/** The linter puts values for Grafana's variables before it parses; a range that is `$__rate_interval` stays to be known. */
const rateInterval = '11m11s';
function filledIn(expression: string): string {
  return expression
    .replaceAll('$__rate_interval', rateInterval)
    .replace(/\$__(?:interval|range)\b/g, '4m')
    .replace(/\$\{\w+(?::\w+)?\}|\$\w+/g, 'x');
}

type Node = ReturnType<typeof parser.parse>['topNode'];

function each(expression: string, name: string, found: (text: string, node: Node) => string | undefined): string[] {
  const complaints: string[] = [];
  parser.parse(expression).iterate({
    enter({ name: kind, node }) {
      const complaint = kind === name ? found(expression.slice(node.from, node.to), node) : undefined;
      if (complaint !== undefined) complaints.push(complaint);
    },
  });
  return complaints;
}

function functionAround(node: Node, expression: string): string | undefined {
  for (let above = node.parent; above; above = above.parent)
    if (above.name === 'FunctionCall') return /^\w+/.exec(expression.slice(above.from, above.to))![0];
  return undefined;
}

function parseErrors(expression: string): string[] {
  const errors: string[] = [];
  parser.parse(expression).iterate({
    enter({ type, from }) {
      if (type.isError) errors.push(`${expression}: at ${from}`);
    },
  });
  return errors;
}

/** Selectors that have no matcher of a label by its variable; of another exporter there is nothing that ours could match. */
function without(label: string, dashboard: Dashboard): string[] {
  const matcher = new RegExp(
    String.raw`[{,]\s*${label}=~(?:"\$${label}"|` + '`\\$\\{' + String.raw`${label}:regex\}` + '`)',
  );
  return queriesOf(dashboard).flatMap(({ title, expr }) =>
    each(expr, 'VectorSelector', (selector) =>
      matcher.test(selector) || selector.startsWith('windows_') ? undefined : `${title}: ${selector}`,
    ),
  );
}

function variableOf(label: string, title: string, { templating }: Dashboard): string[] {
  const variable = templating.list.find(({ name }) => name === label);
  if (variable === undefined) return [`no variable ${label}`];
  const wanted = { type: 'query', label: title, multi: true, allValue: '.+' } as const;
  const wrong = Object.entries(wanted).filter(([key, value]) => variable[key as keyof typeof wanted] !== value);
  const source = variable.datasource?.uid === '${datasource}' ? [] : ['datasource'];
  return [...wrong.map(([key]) => key), ...source].map((key) => `${label}: ${key}`);
}

const units = new Set(['none', 'short', 's', 'percentunit', 'bytes', 'rps', 'ops']);

export const rules: readonly Rule[] = [
  {
    name: 'template-datasource-rule',
    source: docs('template-datasource-rule'),
    check: ({ templating }) => {
      const sources = templating.list.filter(({ type }) => type === 'datasource');
      const right = sources.filter(({ name, label }) => name === 'datasource' && label === 'Data source');
      return right.length === 1 && sources.length === 1 ? [] : ['one variable "datasource", labelled "Data source"'];
    },
  },
  {
    name: 'template-job-rule',
    source: docs('template-job-rule'),
    check: (dashboard) => variableOf('job', 'Job', dashboard),
  },
  {
    name: 'template-instance-rule',
    source: docs('template-instance-rule'),
    check: (dashboard) => variableOf('instance', 'Instance', dashboard),
  },
  {
    name: 'template-label-promql-rule',
    source: docs('template-label-promql-rule'),
    check: ({ templating }) =>
      templating.list
        .filter(({ type }) => type === 'query')
        .flatMap((variable) => {
          const [, selector] = /^label_values\((.+), \w+\)$/.exec(asksFor(variable)) ?? [];
          return selector === undefined ? [`${variable.name}: no label_values`] : parseErrors(filledIn(selector));
        }),
  },
  {
    name: 'template-on-time-change-reload-rule',
    source: docs('template-on-time-change-reload-rule'),
    check: ({ templating }) =>
      templating.list.filter(({ type, refresh }) => type === 'query' && refresh !== 2).map(({ name }) => name),
  },
  {
    name: 'uneditable-dashboard-rule',
    source: docs('template-uneditable-rule'),
    check: ({ editable }) => (editable === false ? [] : ['editable']),
  },
  {
    name: 'panel-datasource-rule',
    source: docs('panel-datasource-rule'),
    check: (dashboard) =>
      panelsOf(dashboard)
        .filter(({ type, datasource }) => type !== 'alertlist' && datasource?.uid !== '${datasource}')
        .map(({ title = '' }) => title),
  },
  {
    name: 'panel-title-description-rule',
    source: docs('panel-title-description-rule'),
    check: (dashboard) =>
      panelsOf(dashboard).flatMap(({ type, title = '', description = '' }) =>
        title === '' || description === '' ? [`${title} (${type})`] : [],
      ),
  },
  {
    name: 'panel-units-rule',
    source: docs('panel-units-rule'),
    check: (dashboard) =>
      panelsOf(dashboard)
        .filter(({ type, fieldConfig }) => type !== 'alertlist' && !units.has(fieldConfig?.defaults.unit ?? ''))
        .map(({ title = '' }) => title),
  },
  {
    name: 'panel-no-targets-rule',
    source: code('rule_panel_no_targets'),
    check: (dashboard) =>
      panelsOf(dashboard)
        .filter(({ type, targets = [] }) => type !== 'alertlist' && targets.length === 0)
        .map(({ title = '' }) => title),
  },
  {
    name: 'target-promql-rule',
    source: docs('target-promql-rule'),
    check: (dashboard) => queriesOf(dashboard).flatMap(({ expr }) => parseErrors(filledIn(expr))),
  },
  {
    name: 'target-rate-interval-rule',
    source: docs('target-rate-interval-rule'),
    check: (dashboard) =>
      queriesOf(dashboard).flatMap(({ title, expr }) => {
        const query = filledIn(expr);
        return each(query, 'MatrixSelector', (text, node) => {
          const isRate = ['rate', 'irate', 'increase'].includes(functionAround(node, query) ?? '');
          return isRate && !text.endsWith(`[${rateInterval}]`) ? `${title}: ${text}` : undefined;
        });
      }),
  },
  { name: 'target-job-rule', source: docs('target-job-rule'), check: (dashboard) => without('job', dashboard) },
  {
    name: 'target-instance-rule',
    source: docs('target-instance-rule'),
    check: (dashboard) => without('instance', dashboard),
  },
  {
    // Ours also takes `last_over_time` and its kin, the exact way to count errors that come one by one; two totals are shown
    // as they are, and `0 *` a counter is its labels.
    name: 'target-counter-agg-rule',
    source: code('rule_target_counter_agg'),
    check: (dashboard) =>
      queriesOf(dashboard).flatMap(({ title, expr }) => {
        const query = filledIn(expr);
        return each(query, 'VectorSelector', (text, node) => {
          const taken = /^(?:rate|irate|increase|resets|(?:max|min|last)_over_time)$/;
          const isShown = /exporter_(?:source_records_missed|destinations_folded)_total/.test(text);
          const isOnlyLabels = query.slice(0, node.from).endsWith('0 * ');
          return /^\w+_total\b/.test(text) &&
            !isShown &&
            !isOnlyLabels &&
            !taken.test(functionAround(node, query) ?? '')
            ? `${title}: ${text}`
            : undefined;
        });
      }),
  },
];
