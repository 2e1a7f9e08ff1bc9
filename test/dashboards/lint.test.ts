/** Dashboards keep the rules of Grafana's dashboard-linter; each rule is shown to object to what breaks it. */
import { describe, expect, it } from 'vitest';
import { dashboardFiles } from '../../dashboards/generate.js';
import { rules, type Dashboard, type Panel, type Variable } from '../support/dashboard-lint.js';

const dashboards = Object.entries(dashboardFiles({ exporterUrl: 'http://localhost:10202' }));

describe.each(dashboards)('%s', (_name, text) => {
  it.each(rules)('keeps $name', ({ check }) => {
    expect(check(JSON.parse(text) as Dashboard)).toEqual([]);
  });
});

type Spoiled = { dashboard: Dashboard; stat: Panel; variable: (name: string) => Variable };
/** For each rule what breaks it. */
const broken: Record<string, ((spoiled: Spoiled) => void)[]> = {
  'template-datasource-rule': [({ variable }) => (variable('datasource').label = 'Source')],
  'template-job-rule': [
    ({ variable }) => (variable('job').allValue = '.*'),
    ({ variable }) => (variable('job').name = 'jobs'),
    ({ variable }) => (variable('job').datasource = { uid: 'prometheus' }),
  ],
  'template-instance-rule': [({ variable }) => (variable('instance').multi = false)],
  'template-label-promql-rule': [
    ({ variable }) => (variable('server').query = { query: 'label_values(up{job="a", server)' }),
    ({ variable }) => (variable('server').query = 'servers()'),
  ],
  'template-on-time-change-reload-rule': [({ variable }) => (variable('server').refresh = 1)],
  'uneditable-dashboard-rule': [({ dashboard }) => (dashboard.editable = true)],
  'panel-datasource-rule': [({ stat }) => (stat.datasource = { uid: 'prometheus' })],
  'panel-title-description-rule': [({ stat }) => (stat.title = ''), ({ stat }) => delete stat.description],
  'panel-units-rule': [({ stat }) => (stat.fieldConfig!.defaults.unit = 'parsecs')],
  'panel-no-targets-rule': [({ stat }) => (stat.targets = [])],
  'target-promql-rule': [({ stat }) => (stat.targets![0]!.expr = 'sum by (job (up)')],
  'target-rate-interval-rule': [
    ({ stat }) => (stat.targets![0]!.expr = 'rate(a_total{job=~"$job"}[5m])'),
    ({ stat }) => (stat.targets![0]!.expr = 'sum(increase(a_total[$__interval]))'),
  ],
  'target-job-rule': [
    ({ stat }) => (stat.targets![0]!.expr = 'sum(up{instance=~"$instance"})'),
    ({ stat }) => (stat.targets![0]!.expr = 'up{job="$job", instance=~"$instance"}'),
  ],
  'target-instance-rule': [({ stat }) => (stat.targets![0]!.expr = 'up{job=~"$job", exported_instance=~"$instance"}')],
  'target-counter-agg-rule': [
    ({ stat }) => (stat.targets![0]!.expr = 'sum(a_total)'),
    ({ stat }) => (stat.targets![0]!.expr = 'delta(a_total[5m])'),
  ],
};

describe('each rule objects to what breaks it', () => {
  it.each(rules)('$name', ({ name, check, source }) => {
    expect(source).toMatch(/^https:\/\/github\.com\/grafana\/dashboard-linter\//);
    expect(broken[name]?.length).toBeGreaterThan(0);
    for (const spoil of broken[name]!) {
      const dashboard = JSON.parse(dashboards[0]![1]) as Dashboard;
      const stat = dashboard.panels
        .flatMap((panel) => [panel, ...(panel.panels ?? [])])
        .find(({ type }) => type === 'stat')!;
      spoil({ dashboard, stat, variable: (wanted) => dashboard.templating.list.find((one) => one.name === wanted)! });
      expect(check(dashboard), spoil.toString()).not.toEqual([]);
    }
  });
});
