/** Answers `/probe?target=` in the format of blackbox_exporter, for known destinations only. */
import { destinationOf, endpointOf } from '../../model/endpoint.js';
import { familyHead, sample, secondsOf, type Family } from '../../metrics/exposition.js';
import type { ProbeResult } from '../../model/probes.js';

export type ProbeAnswer = { readonly status: number; readonly text: string };

/** How long Prometheus waits, in seconds. */
export const timeoutHeader = 'X-Prometheus-Scrape-Timeout-Seconds';

/** Answers before Prometheus gives up, so that it learns of a result and not of a time-out. */
const headStartSeconds = 0.5;

/** Without the header: a person or a script, who may wait for a whole visit. */
const patientSeconds = 60;

/** @param probe gives what is known by then of a destination; undefined when nobody has named it */
export async function answerProbe(
  probe: (destination: string, waitMs: number) => Promise<ProbeResult | undefined>,
  query: URLSearchParams,
  timeout: string | undefined,
): Promise<ProbeAnswer> {
  const given = query.get('target') ?? '';
  const endpoint = endpointOf(given, 25);
  if (!endpoint) return { status: 400, text: `Expected target=host:port, got: ${given || '(nothing)'}\n` };
  const seconds = secondsToWait(timeout);
  if (seconds === undefined) {
    return { status: 400, text: `Expected a number of seconds in ${timeoutHeader}, got: ${timeout ?? ''}\n` };
  }
  const destination = destinationOf(endpoint);
  const result = await probe(destination, seconds * 1000);
  if (!result) {
    const known = 'Known are those that an event, the inventory or the configuration names; /sd lists them.';
    return { status: 404, text: `${destination} is not a known destination, or probing is off. ${known}\n` };
  }
  const answered = { ...result, waitSeconds: seconds };
  return { status: 200, text: query.get('debug') === 'true' ? debugText(answered) : metricsText(answered) };
}

/** @returns undefined when the header cannot be read; an empty or absent one, or 0, is none, as for blackbox_exporter */
function secondsToWait(timeout: string | undefined): number | undefined {
  const text = timeout?.trim() ?? '';
  if (text === '') return patientSeconds;
  if (!/^\+?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return undefined;
  const seconds = Number(text);
  if (!Number.isFinite(seconds)) return undefined;
  if (seconds === 0) return patientSeconds;
  // Of a very short time half is left for the way.
  return Math.min(120, Math.max(seconds / 2, seconds - headStartSeconds));
}

type Answered = ProbeResult & { readonly waitSeconds: number };

type ProbeFamily = Family & {
  readonly samples: (result: Answered) => readonly (readonly [Readonly<Record<string, string>>, number])[];
};

/** The names of blackbox_exporter where it has one for the thing. */
const families: readonly ProbeFamily[] = [
  gauge('probe_success', '1 when every step that decides passed, else 0.', ({ success }) => [[{}, Number(success)]]),
  gauge('probe_duration_seconds', 'How long the probe took, all steps together.', ({ seconds }) => [[{}, seconds]]),
  gauge('probe_timeout_seconds', 'How long this answer could wait for a probe.', ({ waitSeconds }) => [
    [{}, waitSeconds],
  ]),
  gauge('probe_timestamp_seconds', 'When the probe began: the latest one is shown until the next is due.', ({ at }) => [
    [{}, secondsOf(at)],
  ]),
  gauge('probe_ip_protocol', 'Version of IP that was used: 4 or 6.', ({ facts }) => {
    const address = facts.address ?? facts.addresses?.[0];
    return address === undefined ? [] : [[{}, address.includes(':') ? 6 : 4]];
  }),
  gauge('probe_failure_info', 'Always 1; the step that decided failure, and why.', ({ failedStep, reason }) =>
    failedStep && reason ? [[{ step: failedStep, reason }, 1]] : [],
  ),
  gauge('probe_step_duration_seconds', 'How long each step took.', ({ steps }) =>
    steps.map(({ step, seconds }) => [{ step }, seconds]),
  ),
  gauge('probe_ssl_earliest_cert_expiry', 'When the first of the certificates that were sent ends.', ({ facts }) =>
    facts.certificate === undefined ? [] : [[{}, secondsOf(facts.certificate.earliestSentEndsAt)]],
  ),
  gauge(
    'probe_ssl_last_chain_expiry_timestamp_seconds',
    'When the first certificate of the chain that was verified ends.',
    ({ facts }) =>
      facts.certificate?.verified && facts.certificateExpiresAt !== undefined
        ? [[{}, secondsOf(facts.certificateExpiresAt)]]
        : [],
  ),
  gauge('probe_ssl_last_chain_info', 'Always 1; the certificate of the server.', ({ facts: { certificate } }) => {
    if (!certificate) return [];
    const { fingerprint, serialNumber, subject, issuer, names } = certificate;
    const labels = { fingerprint_sha256: fingerprint, serialnumber: serialNumber, issuer, subject };
    return [[{ ...labels, subjectalternative: names.join(',') }, 1]];
  }),
  gauge('probe_tls_version_info', 'Always 1; the version of TLS that was agreed on.', ({ facts }) =>
    facts.tlsVersion === undefined ? [] : [[{ version: versionText(facts.tlsVersion) }, 1]],
  ),
];

/** `TLSv1.3` as Node and OpenSSL name it, `TLS 1.3` as blackbox_exporter does. */
function versionText(version: string): string {
  return version.replace(/^TLSv(\d)$/, 'TLS $1.0').replace(/^TLSv/, 'TLS ');
}

function gauge(name: string, help: string, samples: ProbeFamily['samples']): ProbeFamily {
  return { name, type: 'gauge', help, samples };
}

function metricsText(result: Answered): string {
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
function debugText(result: Answered): string {
  const lines = result.transcript.map(({ ms, direction, text }) => `${String(ms).padStart(6)} ms ${direction} ${text}`);
  const began = `Probe of ${result.destination} that began at ${new Date(result.at).toISOString()}:`;
  return `${[began, ...lines, '', 'The same as metrics:'].join('\n')}\n${metricsText(result)}`;
}
