/** `/generated`: the files of the monitoring with this exporter's own address in them, each with what it is for. */
import type { VNode } from 'preact';
import { monitoringFileNames } from '../generated/monitoring-files.js';
import { generatedPath } from '../generated/generated.js';
import type { Answer, Page, PageContext } from './page.js';

/** By the beginning of their names, in this order. */
const kinds = [
  { beginning: 'alerts/alertmanager', isFor: 'Alertmanager: who is told of what, and what silences what.' },
  { beginning: 'alerts/send-connector.grafana', isFor: 'Grafana: the alert rules, to be provisioned.' },
  {
    beginning: 'alerts/send-connector.prometheusrule',
    isFor: 'Kubernetes: the alert rules for the Prometheus operator.',
  },
  { beginning: 'alerts/send-connector.rules', isFor: 'Prometheus: the alert rules.' },
  { beginning: 'alerts/templates/', isFor: 'Alertmanager: the texts of its messages.' },
  { beginning: 'dashboards/provisioning/', isFor: 'Grafana: where it finds the dashboards.' },
  { beginning: 'dashboards/overview', isFor: 'Grafana: all Send connectors and their destinations.' },
  { beginning: 'dashboards/destination', isFor: 'Grafana: one destination, its errors and its probes.' },
  { beginning: 'dashboards/exporter', isFor: 'Grafana: whether the exporter sees everything.' },
] as const;

export const generatedPage: Page = {
  path: generatedPath,
  needsRows: false,
  show(page): Answer {
    const body = (
      <>
        <h1>Rules and dashboards</h1>
        <p>Ready to be used: their links lead to this exporter.</p>
        <ul class="index">
          {monitoringFileNames.map((name) => (
            <File key={name} name={name} page={page} />
          ))}
        </ul>
      </>
    );
    return { status: 200, title: 'Rules and dashboards', section: undefined, body };
  },
};

function File({ name, page }: { name: string; page: PageContext }): VNode {
  return (
    <li>
      <a href={page.links.page(`${generatedPath}/${name}`)}>{name}</a>
      <p>{kinds.find(({ beginning }) => name.startsWith(beginning))?.isFor}</p>
    </li>
  );
}
