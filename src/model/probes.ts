/** What a visit to a destination found: steps, certificate, transcript, ping and path. */
import type { Origin } from './connectors.js';
import type { Reason, StepName } from './words.js';

/** What came of one step. A step that did not run is not in the list of a visit. */
export type StepResult = {
  readonly step: StepName;
  readonly seconds: number;
  readonly outcome: 'passed' | 'failed';
  /** Present exactly when the step failed. */
  readonly reason?: Reason;
  /** One line for a person: the reply of the server or the words of the system. */
  readonly detail?: string;
};

/** Facts that a visit learned on its way. */
export type VisitFacts = {
  /** Address that was connected to. */
  readonly address?: string;
  /** Addresses that the name resolved to. */
  readonly addresses?: readonly string[];
  readonly tlsVersion?: string;
  readonly tlsCipher?: string;
  /**
   * Earliest end of validity in the chain that was verified, milliseconds since 1970 UTC; where none could be verified, in
   * what there is of it. What else the server sent does not count.
   */
  readonly certificateExpiresAt?: number;
  /** End of validity of the server's own certificate, milliseconds since 1970 UTC. */
  readonly leafExpiresAt?: number;
  readonly certificate?: CertificateFacts;
};

/** The certificate that a server showed. */
export type CertificateFacts = {
  /** True when its chain ends at an authority that this host trusts. */
  readonly verified: boolean;
  /** Earliest end of validity of all certificates that the server sent, milliseconds since 1970 UTC. */
  readonly earliestSentEndsAt: number;
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string;
  /** Hexadecimal. */
  readonly serialNumber: string;
  readonly subject: string;
  readonly issuer: string;
  /** DNS names under subjectAltName. */
  readonly names: readonly string[];
};

/** One line of the conversation of a visit; bounded, without secrets. */
export type TranscriptLine = {
  /** Milliseconds since the start of the visit. */
  readonly ms: number;
  /** `>` sent, `<` received, `*` information. */
  readonly direction: '>' | '<' | '*';
  readonly text: string;
};

/** One round of questions to one destination. */
export type ProbeResult = {
  /** Stable id of this visit: the destination and its start in milliseconds. */
  readonly id: string;
  readonly destination: string;
  readonly host: string;
  readonly origin: Origin;
  /** Start, milliseconds since 1970 UTC. */
  readonly at: number;
  readonly seconds: number;
  readonly success: boolean;
  /** The step that decided failure, with its reason; undefined when the visit succeeded. */
  readonly failedStep: StepName | undefined;
  readonly reason: Reason | undefined;
  /** The first step that failed without deciding the visit, for instance STARTTLS where TLS is not required. */
  readonly warning?: { readonly step: StepName; readonly reason: Reason };
  readonly steps: readonly StepResult[];
  readonly facts: VisitFacts;
  readonly transcript: readonly TranscriptLine[];
};

/** How a run of a diagnostic program ended. `no_program`: none is installed, which is a state and not an error. */
export const reportStates = ['done', 'no_program', 'not_permitted', 'failed'] as const;

export type ReportState = (typeof reportStates)[number];

/** What several echoes to the address of a destination gave; never decides whether a probe is good. */
export type PingReport = {
  /** When it began, milliseconds since 1970 UTC. */
  readonly at: number;
  /** Program that was run, for instance `ping`; empty when there is none. */
  readonly program: string;
  readonly state: ReportState;
  readonly sent: number;
  readonly received: number;
  /** Absent when no echo came back. */
  readonly rttSeconds?: { readonly min: number; readonly average: number; readonly max: number };
  /** One line for a person: why there is no measurement. */
  readonly detail?: string;
};

/** The way to the address of a destination, as far as it could be seen. */
export type PathReport = {
  readonly at: number;
  /** `mtr`, `tracepath`, `traceroute`, `pathping` or `tracert`; empty when there is none. */
  readonly program: string;
  readonly state: ReportState;
  /** True when the destination itself answered. */
  readonly reached: boolean;
  readonly hops: readonly PathHop[];
  readonly detail?: string;
};

export type PathHop = {
  /** 1 for the first router. */
  readonly hop: number;
  /** Absent for a hop that never answered. */
  readonly address?: string;
  /** 0 to 1. */
  readonly lossRatio?: number;
  readonly rttSeconds?: number;
};
