/** Dashboards are what Grafana 13 says that they are: @grafana/schema as a JSON schema, every option of every panel. */
import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import { describe, expect, it } from 'vitest';
import { dashboardFiles } from '../../dashboards/generate.js';

type Override = { matcher: object; properties: { id: string; value?: unknown }[] };
type FieldConfig = { defaults: Record<string, unknown> & { custom?: unknown }; overrides: Override[] };
type Panel = { type: string; title: string; options?: unknown; fieldConfig?: FieldConfig; panels?: Panel[] };
type Dashboard = { panels: Panel[] };

const file = new URL('../fixtures/grafana/grafana-schema.json', import.meta.url);
const schema = JSON.parse(readFileSync(file, 'utf8')) as { $comment: string };
const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addSchema(schema, 'grafana');
/**
 * The one panel that @grafana/schema does not describe. Its options, by its source:
 * https://github.com/grafana/grafana/blob/main/public/app/plugins/panel/alertlist/types.ts
 */
const alertList = {
  type: 'object',
  additionalProperties: false,
  properties: {
    viewMode: { enum: ['list', 'stat'] },
    groupMode: { enum: ['default', 'custom'] },
    groupBy: { type: 'array', items: { type: 'string' } },
    maxItems: { type: 'integer', minimum: 1 },
    sortOrder: { type: 'integer', minimum: 1, maximum: 5 },
    dashboardAlerts: { type: 'boolean' },
    alertName: { type: 'string' },
    alertInstanceLabelFilter: { type: 'string' },
    showInstances: { type: 'boolean' },
    stateFilter: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(
        ['firing', 'pending', 'error', 'noData', 'normal', 'recovering'].map((name) => [name, { type: 'boolean' }]),
      ),
    },
  },
};
ajv.addSchema(alertList, 'alertlist');

const part = (pointer: string): ValidateFunction => {
  const found = ajv.getSchema(`grafana#/properties/${pointer}`);
  if (found === undefined) throw new Error(`the schema has no ${pointer}`);
  return found;
};

function complaints(check: ValidateFunction, value: unknown, where: string): string[] {
  if (check(value)) return [];
  return (check.errors ?? []).map(
    ({ instancePath, message = '', params }) => `${where}${instancePath}: ${message} ${JSON.stringify(params)}`,
  );
}

/** What the data source adds to queries of variables and annotations: the schema leaves that to each of them. */
const ofThePrometheusSource = /\/(?:annotations|templating)\/list\/\d+: .*"(?:expr|titleFormat|definition)"/;

/** Everything in a dashboard that Grafana's schema does not know. */
function unknownIn(dashboard: Dashboard): string[] {
  // A panel is checked as what it is: the schema of the dashboard itself takes any options.
  const panels = dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
  return [
    ...complaints(part('dashboard'), dashboard, 'dashboard').filter((text) => !ofThePrometheusSource.test(text)),
    ...panels.filter(({ type }) => type !== 'row').flatMap((panel) => unknownInPanel(panel)),
  ];
}

function unknownInPanel({ type, title, options = {}, fieldConfig }: Panel): string[] {
  const where = `${title} (${type})`;
  if (type === 'alertlist') return complaints(ajv.getSchema('alertlist')!, options, where);
  const ofType = `panels/properties/${type}/properties`;
  const custom = part(`${ofType}/custom`);
  const overrides = (fieldConfig?.overrides ?? []).flatMap(({ properties }) => properties);
  const defaults = overrides.filter(({ id }) => !id.startsWith('custom.'));
  return [
    ...complaints(part(`${ofType}/options`), options, `${where}: options`),
    ...complaints(custom, fieldConfig?.defaults.custom ?? {}, `${where}: custom`),
    ...overrides
      .filter(({ id }) => id.startsWith('custom.'))
      .flatMap(({ id, value }) => complaints(custom, { [id.slice('custom.'.length)]: value }, `${where}: ${id}`)),
    ...defaults.flatMap(({ id, value }) => {
      const dashboard = { panels: [{ type, fieldConfig: { defaults: { [id]: value }, overrides: [] } }] };
      return complaints(part('dashboard'), dashboard, `${where}: override of ${id}`);
    }),
  ];
}

const dashboards = Object.entries(dashboardFiles({ exporterUrl: 'http://localhost:10202' }));

describe('the schema of Grafana 13', () => {
  it('is of the @grafana/schema that is installed; if not, run test/fixtures/grafana/make-schema.mjs', () => {
    const installed = new URL('../../node_modules/@grafana/schema/package.json', import.meta.url);
    const { version, license } = JSON.parse(readFileSync(installed, 'utf8')) as { version: string; license: string };
    expect(version).toMatch(/^13\./);
    expect(license).toBe('Apache-2.0');
    expect(schema.$comment).toContain(`@grafana/schema ${version},`);
  });

  it.each(dashboards)('knows everything in %s', (_name, text) => {
    expect(unknownIn(JSON.parse(text) as Dashboard)).toEqual([]);
  });

  /** Each puts one piece of nonsense into a panel of the overview. */
  const nonsense: [what: string, type: string, spoil: (panel: Panel & Record<string, never>) => void][] = [
    ['an option of a panel', 'stat', (panel) => Object.assign(panel.options as object, { colourMode: 'background' })],
    ['a value of an option', 'stat', (panel) => Object.assign(panel.options as object, { colorMode: 'rainbow' })],
    [
      'a member of an option',
      'bargauge',
      ({ options }) => Object.assign(options as object, { reduceOptions: { calc: [] } }),
    ],
    [
      'a field setting of a graph',
      'timeseries',
      ({ fieldConfig }) => (fieldConfig!.defaults.custom = { lineWidht: 1 }),
    ],
    [
      'a value of a field setting',
      'timeseries',
      ({ fieldConfig }) => (fieldConfig!.defaults.custom = { drawStyle: 'x' }),
    ],
    [
      'a setting that a panel does not have',
      'stat',
      ({ fieldConfig }) => (fieldConfig!.defaults.custom = { lineWidth: 1 }),
    ],
    ['a unit that is no text', 'table', ({ fieldConfig }) => (fieldConfig!.defaults.unit = 5)],
    ['a field setting that is none', 'table', ({ fieldConfig }) => (fieldConfig!.defaults.decimal = 5)],
    ['an override', 'table', ({ fieldConfig }) => (fieldConfig!.overrides[0]!.properties[0]!.id = 'custom.cellOption')],
    ['a key of a panel', 'timeseries', (panel) => Object.assign(panel, { heigth: 8 })],
    ['an option of the list of alerts', 'alertlist', ({ options }) => Object.assign(options as object, { maxItem: 5 })],
    [
      'a key of the colour of a heat map',
      'heatmap',
      ({ options }) => Object.assign(options as object, { color: { shade: 5 } }),
    ],
    [
      'an option of a state timeline',
      'state-timeline',
      ({ options }) => Object.assign(options as object, { rowHeigth: 1 }),
    ],
  ];

  it.each(nonsense)('finds out %s that is wrong', (_what, type, spoil) => {
    const dashboard = JSON.parse(dashboards[0]![1]) as Dashboard;
    const panels = dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
    const panel = panels.find(
      (one) => one.type === type && (type !== 'table' || one.fieldConfig!.overrides.length > 0),
    );
    spoil(panel as Panel & Record<string, never>);
    expect(unknownIn(dashboard)).not.toEqual([]);
  });
});
