/**
 * The critical alerts for what no probe looks at: probing is off, or policy forbids it. The errors are the only witness
 * there, so it takes more of them, and the texts say what is not known.
 */
import { errorsLast, errorsOfRetries, failingUnprobed, triedLately } from './expressions.js';
import { indented } from './replicas.js';
import type { Alert } from './rules.js';
import { inWords, lastError, ofPair } from './text-marks.js';
import { type Thresholds } from './thresholds.js';

/** The wider first. */
export function unprobedAlerts(limits: Thresholds): readonly Alert[] {
  return [errorsEverywhere(limits), errorsPersist(limits)];
}

function errorsEverywhere(limits: Thresholds): Alert {
  const failing = `${failingUnprobed(limits.cameThroughSeconds, limits)}\nand ${errorsOfRetries(limits)}`;
  return {
    name: 'SendConnectorErrorsEverywhere',
    group: 'mail',
    severity: 'critical',
    scope: 'connector',
    // A destination that is tried and does not fail outweighs all that do.
    expr: [
      'sum without (destination) (',
      `  0 * (\n${indented(indented(failing))}\n  ) + 1`,
      `  or 0 * ${triedLately(limits)} - Inf`,
      `) >= ${limits.connectorDestinations}`,
    ].join('\n'),
    forSeconds: limits.outageForSeconds,
    keepFiringSeconds: limits.outageKeepSeconds,
    subjects: ['connector', 'server'],
    summary:
      'Send connector {{ $labels.connector }} of server {{ $labels.server }} repeatedly has errors with all ' +
      '{{ $value }} destinations it is known to use',
    description:
      `Each of the {{ $value }} destinations that it had errors with, or tried, within ${inWords(limits.triedSeconds)} failed at ` +
      `least ${limits.repeatedErrors} times within ${inWords(limits.repeatedWindowSeconds)}, retries among them. They are not probed, so whether they respond ` +
      'is unknown: test the path from this server. If they do not, all mail of this connector waits; users are told ' +
      'after 4 hours, mail is returned after 2 days.',
    annotations: { last_error: lastError(['server', 'connector']) },
  };
}

function errorsPersist(limits: Thresholds): Alert {
  return {
    name: 'SendConnectorErrorsPersist',
    group: 'mail',
    severity: 'critical',
    scope: 'destination',
    expr: `${failingUnprobed(limits.lastingSeconds, limits)}\nand ${errorsLast(limits)}`,
    forSeconds: limits.outageForSeconds,
    keepFiringSeconds: limits.outageKeepSeconds,
    subjects: ['connector', 'destination', 'server'],
    summary: `Send connector {{ $labels.connector }} has had errors with {{ $labels.destination }} for ${inWords(limits.lastingSeconds)} or longer`,
    description:
      `Server {{ $labels.server }} logged {{ $value }} errors within ${inWords(limits.repeatedWindowSeconds)}, some of them ` +
      `at least ${inWords(limits.lastingSeconds)} apart. This destination is not probed, so whether it responds is unknown: ` +
      'test the path from this server. Mail for it waits in a queue unless it has another route; users are told after 4 ' +
      'hours, mail is returned after 2 days.',
    annotations: ofPair,
  };
}
