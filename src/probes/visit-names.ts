/** Visits a name: its addresses are resolved again each time, and each of them is visited, in turn if there are many. */
import { destinationOf } from '../model/endpoint.js';
import type { ProbeResult } from '../model/probes.js';
import type { Target } from '../model/connectors.js';
import type { Policy } from './policy.js';
import { isFailure, type Failure } from './reason.js';
import type { Names } from './steps/dns.js';
import type { StepLimits } from './steps/step.js';
import { startRecord, type Deciding, type VisitWatch } from './visit-record.js';

/** What one round of visits is given from outside. */
export type Round = { readonly signal: AbortSignal; readonly watch: VisitWatch };

/** What visits of names need of the prober. */
export type NameVisits = {
  readonly policy: Policy;
  readonly names: Names;
  readonly timeoutMs: number;
  readonly limits: StepLimits;
  readonly now: () => number;
  /** Visits one address, or joins the visit that is already there. */
  readonly visitAddress: (target: Target, address: string, round: Round) => Promise<ProbeResult>;
  /** Visits of addresses under way by destination: two names of one address share a visit instead of making two. */
  readonly running: ReadonlyMap<string, Promise<ProbeResult>>;
  /** How the visits of names and of addresses that are under way stand. */
  readonly underWay: Map<string, () => ProbeResult>;
  /** Where the next visit of a name with many addresses begins. */
  readonly turns: Map<string, number>;
};

/** Addresses of one name that one visit goes to. */
const addressesAtATime = 8;

export async function visitName(context: NameVisits, target: Target, round: Round): Promise<readonly ProbeResult[]> {
  const record = startRecord(target, target.destination, context.now(), round.watch);
  record.begin('dns');
  let facts: ProbeResult['facts'] = {};
  let soFar = (): ProbeResult => record.soFar(facts);
  context.underWay.set(target.destination, () => soFar());
  try {
    const addresses = await addressesOf(context, target, round.signal);
    const step = record.step('dns', isFailure(addresses) ? addresses : undefined);
    if (isFailure(addresses)) return [record.result({ failed: step, facts })];
    facts = { addresses };
    record.note('*', `${target.host} resolves to ${addresses.join(', ')}`);
    const visits = inTurn(context, target, addresses).map((address) => visitOfMany(context, target, address, round));
    soFar = () => record.result({ failed: decidingOf(visits.map(({ now }) => now())), facts });
    const results = await Promise.all(visits.map(({ result }) => result));
    const own = results.filter((_, index) => visits[index]?.shared === false);
    return [record.result({ failed: decidingOf(results), facts }), ...own];
  } finally {
    context.underWay.delete(target.destination);
  }
}

async function addressesOf(
  context: NameVisits,
  target: Target,
  signal: AbortSignal,
): Promise<readonly string[] | Failure> {
  const { policy, names, timeoutMs, limits } = context;
  const refusal = policy.judge(undefined, target.port);
  if (refusal === undefined) return names.resolve(target.host, Math.min(timeoutMs, limits.dnsMs), signal);
  return { reason: 'blocked_by_policy', detail: `not asked for ${target.host}: ${refusal}` };
}

/** A bounded number at a time; where there are more, the next visit begins where this one ends. */
function inTurn({ turns }: NameVisits, { destination }: Target, addresses: readonly string[]): readonly string[] {
  if (addresses.length <= addressesAtATime) {
    turns.delete(destination);
    return addresses;
  }
  const first = (turns.get(destination) ?? 0) % addresses.length;
  turns.set(destination, first + addressesAtATime);
  return [...addresses.slice(first), ...addresses.slice(0, first)].slice(0, addressesAtATime);
}

type OneOfMany = {
  /** True when another name or destination had begun it. */
  readonly shared: boolean;
  readonly result: Promise<ProbeResult>;
  readonly now: () => ProbeResult | undefined;
};

function visitOfMany(context: NameVisits, target: Target, address: string, round: Round): OneOfMany {
  const destination = destinationOf({ host: address, port: target.port });
  const shared = context.running.has(destination);
  const result = context.visitAddress({ ...target, destination }, address, round);
  let ended: ProbeResult | undefined;
  result.then(
    (value) => (ended = value),
    () => undefined,
  );
  return { shared, result, now: () => ended ?? context.underWay.get(destination)?.() };
}

/** A name is good when one of its addresses is; else the first address tells why not. */
function decidingOf(results: readonly (ProbeResult | undefined)[]): Deciding | undefined {
  if (results.some((result) => result?.success)) return undefined;
  const [first] = results;
  return { step: first?.failedStep ?? 'tcp', reason: first?.reason ?? 'timeout' };
}
