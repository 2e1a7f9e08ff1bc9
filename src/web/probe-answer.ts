/** Answers `/probe?target=` in the way of blackbox_exporter, for destinations that are known and for no others. */
import { destinationOf, endpointOf } from '../endpoint.js';
import { familyHead, sample, secondsOf, type Family } from '../exposition.js';
import type { ProbeResult } from '../model.js';

export type ProbeAnswer = { readonly status: number; readonly text: string };

/** How long Prometheus waits, in seconds. */
export const timeoutHeader = 'X-Prometheus-Scrape-Timeout-Seconds';

/** Answers before Prometheus gives up, so that it learns of a result and not of a time-out. */
const headStartSeconds = 0.5;

export async function answerProbe(
  probe: (destination: string) => Promise<ProbeResult | undefined>,
  query: URLSearchParams,
  timeout: string | undefined,
): Promise<ProbeAnswer> {
  const given = query.get('target') ?? '';
  const endpoint = endpointOf(given, 25);
  if (!endpoint) return { status: 400, text: `Expected target=host:port, got: ${given || '(nothing)'}\n` };
  const destination = destinationOf(endpoint);
  const result = await within(secondsToWait(timeout), probe(destination));
  if (result === 'late') return { status: 503, text: `The probe of ${destination} is still under way; ask again.\n` };
  if (!result) {
    const known = 'Known are those that an event, the inventory or the configuration names; /sd lists them.';
    return { status: 404, text: `${destination} is not a known destination, or probing is off. ${known}\n` };
  }
  return { status: 200, text: query.get('debug') === 'true' ? debugText(result) : metricsText(result) };
}

function secondsToWait(timeout: string | undefined): number {
  const seconds = Number(timeout ?? 60);
  return Number.isFinite(seconds) ? Math.min(120, Math.max(0.5, seconds - headStartSeconds)) : 60;
}

async function within<T>(seconds: number, running: Promise<T>): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000, 'late');
  });
  return Promise.race([running, late]).finally(() => {
    clearTimeout(timer);
  });
}

type ProbeFamily = Family & {
  readonly samples: (result: ProbeResult) => readonly (readonly [Readonly<Record<string, string>>, number])[];
};

/** The names of blackbox_exporter where it has one for the thing. */
const families: readonly ProbeFamily[] = [
  gauge('probe_success', '1 when every step that decides passed, else 0.', ({ success }) => [[{}, Number(success)]]),
  gauge('probe_duration_seconds', 'How long the probe took, all steps together.', ({ seconds }) => [[{}, seconds]]),
  gauge('probe_timestamp_seconds', 'When the probe began: the latest one is shown until the next is due.', ({ at }) => [
    [{}, secondsOf(at)],
  ]),
  gauge('probe_failure_info', 'Always 1; the step that decided failure, and why.', ({ failedStep, reason }) =>
    failedStep && reason ? [[{ step: failedStep, reason }, 1]] : [],
  ),
  gauge('probe_step_duration_seconds', 'How long each step took.', ({ steps }) =>
    steps.map(({ step, seconds }) => [{ step }, seconds]),
  ),
  gauge(
    'probe_ssl_earliest_cert_expiry',
    'When the first certificate of the chain that was shown ends.',
    ({ facts }) => (facts.certificateExpiresAt === undefined ? [] : [[{}, secondsOf(facts.certificateExpiresAt)]]),
  ),
  gauge('probe_tls_version_info', 'Always 1; the version of TLS that was agreed on.', ({ facts }) =>
    facts.tlsVersion === undefined ? [] : [[{ version: facts.tlsVersion }, 1]],
  ),
];

function gauge(name: string, help: string, samples: ProbeFamily['samples']): ProbeFamily {
  return { name, type: 'gauge', help, samples };
}

function metricsText(result: ProbeResult): string {
  return families
    .map((family) => [family, family.samples(result)] as const)
    .filter(([, samples]) => samples.length > 0)
    .map(
      ([family, samples]) =>
        familyHead(family) + samples.map(([labels, value]) => sample(family.name, labels, value)).join(''),
    )
    .join('');
}

/** What happened first, what came of it after. */
function debugText(result: ProbeResult): string {
  const lines = result.transcript.map(({ ms, direction, text }) => `${String(ms).padStart(6)} ms ${direction} ${text}`);
  const began = `Probe of ${result.destination} that began at ${new Date(result.at).toISOString()}:`;
  return `${[began, ...lines, '', 'The same as metrics:'].join('\n')}\n${metricsText(result)}`;
}
