/** Why something fails, why something is not looked at, and where a command can be typed. */
import { diagnosesOf } from '../diagnosis/diagnosis.js';
import type { MetricsOptions } from '../metrics/options.js';
import { endpointOf } from '../model/endpoint.js';
import { findOwnHost } from '../probes/own-host.js';
import type { Policy } from '../probes/policy.js';
import { commandForAlert } from '../web/parts/next-command.js';
import type { Inlets, Origin, Parts } from './parts.js';

export type Explanation = Awaited<ReturnType<typeof explanation>>;

/** Why something fails, why something is not looked at, and where a command can be typed. */
export async function explanation(inlets: Inlets, { ledger, board }: Parts, origin: Origin) {
  const own = await findOwnHost({ file: origin.file, ...origin.probeFlags });
  const notProbed = (destination: string): string | undefined => whyNotProbed(inlets.policy, destination);
  const diagnoses = (most?: number) =>
    diagnosesOf(ledger.rows(), board.entries(), { now: Date.now(), notProbed, most, recent: ledger.recent() });
  const nextCommand: MetricsOptions['nextCommand'] = (pair) =>
    commandForAlert(pair, board.entry(pair.destination)?.latest.host);
  return { notProbed, diagnoses, nextCommand, ownHost: () => own };
}

function whyNotProbed(policy: Policy, destination: string): string | undefined {
  const endpoint = endpointOf(destination);
  if (!endpoint) return 'not an address and a port';
  return policy.judge(endpoint.address ? endpoint.host : undefined, endpoint.port);
}
