/** One visit: asks the steps in order on one connection; times, judges and cleans up in one place. */
import { setMaxListeners } from 'node:events';
import { addressOf, destinationOf } from '../model/endpoint.js';
import type { ProbeResult } from '../model/probes.js';
import type { QuitAfter } from '../model/words.js';
import type { Target } from '../model/connectors.js';
import { createAuthorities, type Authorities, type AuthoritiesOptions, type Trust } from './authorities.js';
import { createCertificates, type Certificates } from './certificates.js';
import { openConversation, type Conversation } from './conversation.js';
import { createEhloNames, type EhloNames } from './ehlo-name.js';
import type { Policy } from './policy.js';
import type { Failure } from './reason.js';
import { shown } from './smtp-lines.js';
import type { Step, StepLimits, Visit } from './steps/step.js';
import { steps } from './steps/steps.js';
import { createNames, type NamesOptions } from './steps/dns.js';
import { visitName, type NameVisits, type Round } from './visit-names.js';
import { startRecord, type Deciding, type Recording, type VisitWatch } from './visit-record.js';

export type ProberOptions = {
  readonly policy: Policy;
  /** Longest duration of one visit to one address. @default 45000 */
  readonly timeoutMs?: number;
  /** Waits inside a visit, milliseconds; the whole visit never lasts longer than `timeoutMs`. */
  readonly limits?: Partial<StepLimits>;
  /** Name given in EHLO where the connector gives none. @default the full name of this host, or an address literal */
  readonly ehloName?: string;
  /** The full name of this host, undefined when it has none. @default as the system tells it */
  readonly hostName?: () => Promise<string | undefined>;
  readonly names?: NamesOptions;
  /** The last step to ask; QUIT follows where the server has greeted. @default all steps are asked */
  readonly quitAfter?: QuitAfter | undefined;
  /** Certificates (PEM) trusted besides those of Node and of the system, for instance of a company's own authority. */
  readonly extraCa?: string;
  readonly trust?: Omit<AuthoritiesOptions, 'extraCa'>;
  /** Milliseconds since 1970 UTC. @default Date.now */
  readonly now?: () => number;
};

export type Prober = {
  /**
   * Visits a target. An address gives one result. A name gives one for each of its addresses (destination is the
   * address and port, host the name) and one for the name itself, whose only step is `dns`: good when at least one
   * address is. Never throws for anything that a network can do.
   */
  readonly visit: (target: Target, signal: AbortSignal, watch?: VisitWatch) => Promise<readonly ProbeResult[]>;
  /** The visit of a destination that is under way, as if its time were up now; undefined when there is none. */
  readonly underWay: (destination: string) => ProbeResult | undefined;
};

/** Builds the prober: what all visits share is made once. */
export function createProber(options: ProberOptions): Prober {
  const now = options.now ?? Date.now;
  const authorities = createAuthorities({ extraCa: options.extraCa, ...options.trust });
  const context: Context = {
    policy: options.policy,
    timeoutMs: options.timeoutMs ?? 45_000,
    limits: { ...defaultLimits, ...options.limits },
    ehloNames: createEhloNames({ configured: options.ehloName, hostName: options.hostName, now }),
    steps: options.quitAfter === undefined ? steps : stepsUpTo(options.quitAfter),
    names: createNames(options.names),
    authorities,
    certificates: createCertificates(now),
    now,
    visitAddress: (target, address, round) => visitAddress(context, target, address, round),
    running: new Map(),
    underWay: new Map(),
    turns: new Map(),
  };
  return {
    async visit(target, signal, watch = {}) {
      setMaxListeners(0, signal);
      const address = addressOf(target.host);
      return address === undefined
        ? visitName(context, target, { signal, watch })
        : [await visitAddress(context, target, address, { signal, watch })];
    },
    underWay: (destination) => context.underWay.get(destination)?.(),
  };
}

type Context = NameVisits & {
  readonly ehloNames: EhloNames;
  readonly steps: readonly Step[];
  readonly authorities: Authorities;
  readonly certificates: Certificates;
  readonly running: Map<string, Promise<ProbeResult>>;
};

/**
 * 30 s for the banner: slow greetings are a common and lawful defence against spam. 10 s for the connection is four
 * tries of the system to be heard.
 */
const defaultLimits: StepLimits = {
  dnsMs: 15_000,
  connectMs: 10_000,
  bannerMs: 30_000,
  replyMs: 15_000,
  quitMs: 3_000,
};

function stepsUpTo(last: QuitAfter): readonly Step[] {
  const end = steps.findIndex(({ name }) => name === last) + 1;
  return steps.filter(({ name }, index) => index < end || name === 'quit');
}

/** Visits one address, or joins the visit that is already there. */
function visitAddress(context: Context, target: Target, address: string, round: Round): Promise<ProbeResult> {
  const destination = destinationOf({ host: address, port: target.port });
  const under = context.running.get(destination);
  if (under) return under;
  const visit = visitOnce(context, { ...target, destination }, address, round).finally(() => {
    context.running.delete(destination);
  });
  context.running.set(destination, visit);
  return visit;
}

async function visitOnce(context: Context, target: Target, address: string, round: Round): Promise<ProbeResult> {
  const { signal } = round;
  const record = startRecord(target, target.destination, context.now(), round.watch);
  const refusal = context.policy.judge(address, target.port);
  if (refusal !== undefined) {
    record.note('*', `not connected: ${refusal}`);
    record.begin('tcp');
    const failed = record.step('tcp', { reason: 'blocked_by_policy', detail: refusal });
    return record.result({ failed, facts: { address } });
  }
  // Built once for all visits: no visit pays for it out of its own time.
  const trust = await context.authorities.trust();
  const talk = openConversation({ deadline: performance.now() + context.timeoutMs, signal, note: record.note });
  const visit = visitOf(context, target, address, { talk, record, trust });
  context.underWay.set(target.destination, () => record.soFar(visit.facts));
  try {
    const { failed, warning } = await askAll(context.steps, visit, record);
    return record.result({ failed, warning, facts: visit.facts });
  } finally {
    context.underWay.delete(target.destination);
    talk.close();
  }
}

function visitOf(
  context: Context,
  target: Target,
  address: string,
  own: { readonly talk: Conversation; readonly record: Recording; readonly trust: Trust },
): Visit {
  const { talk, record, trust } = own;
  const settings = target.settings ?? {};
  return {
    target,
    settings,
    address,
    ehloName: () => context.ehloNames.nameFor(settings.ehloName, talk.localAddress()),
    limits: context.limits,
    trust,
    certificates: context.certificates,
    talk,
    note: (text) => {
      record.note('*', text);
    },
    facts: {},
    extensions: new Set(),
    ehloRefusal: undefined,
    startTlsAgreed: false,
  };
}

/** The steps in order. The first fatal failure decides; a failure that is not fatal is kept as the warning. */
async function askAll(
  asked: readonly Step[],
  visit: Visit,
  record: Recording,
): Promise<{ readonly failed: Deciding | undefined; readonly warning: Deciding | undefined }> {
  let warning: Deciding | undefined;
  for (const step of asked) {
    if (!step.applies(visit)) continue;
    record.begin(step.name);
    const failure = await step.run(visit).catch(faultOfOurs);
    const trouble = record.step(step.name, failure);
    if (!failure || !trouble) continue;
    if (failure.fatal === true || step.fatal(failure.reason, visit.settings)) {
      await leave(visit, step);
      return { failed: trouble, warning };
    }
    warning ??= trouble;
    // Neither TLS nor clear text goes on after a handshake that broke; after a poor certificate the talk goes on.
    if (!visit.talk.idle()) break;
  }
  return { failed: undefined, warning };
}

/** A visit that gives no result would leave the last one standing, good as it may have been. */
function faultOfOurs(error: unknown): Failure {
  const [what = ''] = String(error).split('\n', 1);
  return { reason: 'other', detail: shown(`a bug in the exporter, please report it: ${what}`), fatal: true };
}

/** After a fatal failure QUIT is courtesy, where the server still listens: not a step, so it has no sample. */
async function leave(visit: Visit, after: Step): Promise<void> {
  if (after.name !== 'quit' && visit.talk.idle()) await visit.talk.command('QUIT', visit.limits.quitMs);
}
