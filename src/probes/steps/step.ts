/** What a step of a visit is, and what the steps of one visit share. */
import type { Reason, StepName } from '../../model/words.js';
import type { Target, TargetSettings } from '../../model/connectors.js';
import type { VisitFacts } from '../../model/probes.js';
import type { Trust } from '../authorities.js';
import type { Certificates } from '../certificates.js';
import type { Conversation } from '../conversation.js';
import type { Failure } from '../reason.js';

/** What the steps of one visit share. */
export type Visit = {
  readonly target: Target;
  readonly settings: TargetSettings;
  /** The address to connect to, already allowed by policy. */
  readonly address: string;
  /** Name to give in EHLO; known once there is a connection. */
  readonly ehloName: () => Promise<string>;
  readonly limits: StepLimits;
  readonly trust: Trust;
  readonly certificates: Certificates;
  readonly talk: Conversation;
  readonly note: (text: string) => void;
  /** Learned on the way, for the steps that follow and for the result. */
  readonly facts: { -readonly [Fact in keyof VisitFacts]: VisitFacts[Fact] };
  /** Keywords of the EHLO reply, upper case; empty before it and after HELO. */
  extensions: ReadonlySet<string>;
  /** What the server answered to EHLO where only HELO was accepted, which offers nothing. */
  ehloRefusal: string | undefined;
  /** True once the server agreed to STARTTLS. */
  startTlsAgreed: boolean;
};

/** Longest wait of each kind, milliseconds; the deadline of the visit holds besides. */
export type StepLimits = {
  readonly dnsMs: number;
  readonly connectMs: number;
  readonly bannerMs: number;
  readonly replyMs: number;
  readonly quitMs: number;
};

export type Step = {
  readonly name: StepName;
  /** False when there is nothing to ask: the step does not run and leaves no sample. */
  readonly applies: (visit: Visit) => boolean;
  /** Does failing with this reason decide the visit? */
  readonly fatal: (reason: Reason, settings: TargetSettings) => boolean;
  /** Asks; trouble is a value. */
  readonly run: (visit: Visit) => Promise<Failure | undefined>;
};
