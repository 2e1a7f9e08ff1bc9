/** Families of what listens: requests that are pushed, TLS handshakes; left out of the page where there is none. */
import { type HandshakeCounts, handshakeFailures } from '../model/handshakes.js';
import { pushOutcomes } from '../model/status.js';
import type { Family } from './exposition.js';
import type { Sample } from './families.js';
import type { MetricsOptions } from './options.js';

type ListenerFamily = Family & {
  readonly samples: (facts: Pick<MetricsOptions, 'sources' | 'webHandshakes'>) => readonly Sample[];
  readonly isRare: true;
};

export const listenerFamilies: readonly ListenerFamily[] = [
  {
    name: 'exchange_exporter_source_requests_total',
    type: 'counter',
    help: 'Requests and windows pushed to the source, by outcome; senders retry those that found it busy.',
    isRare: true,
    samples: ({ sources }) =>
      sources().flatMap(({ source, pushed }) =>
        pushed ? pushOutcomes.map((outcome): Sample => [{ source, outcome }, pushed[outcome]]) : [],
      ),
  },
  {
    name: 'exchange_exporter_tls_handshake_failures_total',
    type: 'counter',
    help: 'TLS handshakes that failed, by listener (web, or the name of a source) and reason.',
    isRare: true,
    samples: ({ sources, webHandshakes }) => [
      ...failuresOf('web', webHandshakes()),
      ...sources().flatMap(({ source, handshakes }) => failuresOf(source, handshakes)),
    ],
  },
];

function failuresOf(listener: string, counts: HandshakeCounts | undefined): Sample[] {
  return counts ? handshakeFailures.map((reason): Sample => [{ listener, reason }, counts[reason]]) : [];
}
