/** Writes the reference of metrics from their declarations in `src/metrics/` and the examples beside this file. */
import { boardFamilies } from '../src/metrics/destinations.js';
import { exporterFamilies } from '../src/metrics/exporter.js';
import type { Family } from '../src/metrics/exposition.js';
import { adviceFamily, diagnosisFamily, rowFamilies } from '../src/metrics/pairs.js';
import type { MetricExample } from './exporter-metric-examples.js';
import { metricExamples } from './metric-examples.js';

/** In the order of the page of metrics. */
const families: readonly Family[] = [
  ...rowFamilies,
  diagnosisFamily,
  adviceFamily,
  ...boardFamilies,
  ...exporterFamilies,
];

/** Names of the files with their texts. @throws when a metric has no example, or an example no metric */
export function referenceFiles(): Readonly<Record<string, string>> {
  const names = new Set(families.map(({ name }) => name));
  const left = Object.keys(metricExamples).filter((name) => !names.has(name));
  if (left.length > 0) throw new Error(`docs/metric-examples.ts: no such metric: ${left.join(', ')}`);
  return {
    'docs/metrics.md': [heading, ...families.map(rowOf), between, ...families.map(sectionOf), ending].join('\n'),
  };
}

const heading = `# Metrics

<!-- Generated from src/metrics/ and docs/*-examples.ts: edit these, then \`npm run generate\`. -->

\`max without (instance, replica)\` in the example queries merges the exporters of a pair, each of which counts every event; with one
exporter it changes nothing. Labels that Prometheus adds (\`job\`, \`instance\`) are not listed. What begins with "Whether" is 1 or 0.

\`increase()\` extrapolates, so one error may read as 1.07. The [dashboards](../dashboards/overview.json) count exactly.

<!-- prettier-ignore-start -->

| Metric | Type | Meaning |
| --- | --- | --- |`;

const between = `
<!-- prettier-ignore-end -->

The labels of each metric, and a query worth asking:

<!-- prettier-ignore-start -->
`;

const ending = `<!-- prettier-ignore-end -->
`;

function rowOf({ name, type, help }: Family): string {
  const { note } = exampleOf(name);
  return `| \`${name}\` | ${type} | ${note === undefined ? help : `${help} ${note}`} |`;
}

function sectionOf({ name, type }: Family): string {
  const { labels, shows, query } = exampleOf(name);
  const listed = labels.length === 0 ? 'none' : labels.map((label) => `\`${label}\``).join(', ');
  const kind = `${type.charAt(0).toUpperCase()}${type.slice(1)}`;
  return `## \`${name}\`

${kind}. Labels: ${listed}. Example, ${shows}:

\`\`\`promql
${query}
\`\`\`
`;
}

function exampleOf(name: string): MetricExample {
  const example = metricExamples[name];
  if (!example) throw new Error(`docs/metric-examples.ts: expected labels and a query for ${name}, got none`);
  return example;
}
