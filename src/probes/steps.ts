/** What a step is, and the list of them in the order in which a visit asks. */
import type { Reason, StepName, Target, TargetSettings, VisitFacts } from '../model.js';
import type { Trust } from './authorities.js';
import type { Certificates } from './certificates.js';
import type { Conversation } from './conversation.js';
import type { Failure } from './reason.js';
import { banner } from './steps/banner.js';
import { ehlo } from './steps/ehlo.js';
import { ehloTls } from './steps/ehlo-tls.js';
import { quit } from './steps/quit.js';
import { startTls } from './steps/starttls.js';
import { tcp } from './steps/tcp.js';
import { tlsHandshake } from './steps/tls.js';

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

/** The steps on one connection; `dns` comes before, once for all addresses of a name. */
export const steps: readonly Step[] = [tcp, banner, ehlo, startTls, tlsHandshake, ehloTls, quit];
