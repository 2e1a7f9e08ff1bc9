/** The panel that stands in the overview and in the drill-down: how far failed visits came. */
import { bars, link, overTime, type PanelText } from './panels.js';
import { chosenDestinations, once } from './queries.js';

const failures = `exchange_destination_probe_failures_total${chosenDestinations}`;

export function failedVisits(
  place: Omit<PanelText, 'title' | 'description' | 'unit' | 'empty'>,
): ReturnType<typeof bars> {
  return bars({
    title: 'Failed visits by step and reason',
    description: 'How far visits came, and why they ended. About as many as the probes made in each step of the graph.',
    unit: 'short',
    empty: 'no failures',
    ...place,
  })
    .withTarget(
      overTime(
        `sum by (step, reason) (${once(`increase(${failures}[$__rate_interval])`)}) > 0`,
        '{{step}}: {{reason}}',
      ),
    )
    .dataLinks([link('What this reason means', '${exporter}/runbooks/reasons#${__field.labels.reason}')]);
}
