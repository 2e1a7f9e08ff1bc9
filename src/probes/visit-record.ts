/** What one visit has done and said so far, and the result that is made of it: at its end, or while it is under way. */
import type { ProbeResult, StepResult, TranscriptLine } from '../model/probes.js';
import type { Reason, StepName } from '../model/words.js';
import type { Target } from '../model/connectors.js';
import type { Failure } from './reason.js';
import { shown } from './smtp-lines.js';

/** Told what happens in a visit at the moment when it happens. */
export type VisitWatch = {
  readonly line?: (destination: string, line: TranscriptLine) => void;
  readonly step?: (destination: string, step: StepResult) => void;
};

/** The step that decides something, and why. */
export type Deciding = { readonly step: StepName; readonly reason: Reason };

type Verdict = {
  readonly failed: Deciding | undefined;
  readonly warning?: Deciding | undefined;
  readonly facts: ProbeResult['facts'];
};

export type Recording = {
  readonly note: (direction: TranscriptLine['direction'], text: string) => void;
  /** A step begins: from here on the visit waits for it. */
  readonly begin: (name: StepName) => void;
  /** Enters what came of the step that began last; gives the failure in short. */
  readonly step: (name: StepName, failure: Failure | undefined) => Deciding | undefined;
  readonly result: (verdict: Verdict) => ProbeResult;
  /** The visit as it would be judged if its time were up now: the step that is waited for has not passed. */
  readonly soFar: (facts: ProbeResult['facts']) => ProbeResult;
};

/** A transcript longer than this is cut: a visit has some twenty lines. */
const maxTranscriptLines = 80;

/** What a step that does not come to its end is called. */
const unfinished: Readonly<Partial<Record<StepName, Reason>>> = { dns: 'name_timeout', banner: 'banner_timeout' };

/** @param at when the visit begins, milliseconds since 1970 UTC */
export function startRecord(target: Target, destination: string, at: number, watch: VisitWatch): Recording {
  const begun = performance.now();
  const done: StepResult[] = [];
  const transcript: TranscriptLine[] = [];
  let current: { readonly name: StepName; readonly at: number } | undefined;
  const note: Recording['note'] = (direction, text) => {
    if (transcript.length > maxTranscriptLines) return;
    const full = transcript.length === maxTranscriptLines;
    const ms = Math.round(performance.now() - begun);
    const line: TranscriptLine = full ? { ms, direction: '*', text: 'cut here' } : { ms, direction, text: shown(text) };
    transcript.push(line);
    watch.line?.(destination, line);
  };
  const resultOf = ({ failed, warning, facts }: Verdict, steps: readonly StepResult[]): ProbeResult => ({
    id: `${destination}@${at}`,
    destination,
    host: target.host,
    origin: target.origin,
    at,
    seconds: secondsSince(begun),
    success: failed === undefined,
    failedStep: failed?.step,
    reason: failed?.reason,
    ...(warning && { warning }),
    steps,
    facts,
    transcript,
  });
  return {
    note,
    begin(name) {
      current = { name, at: performance.now() };
    },
    step(name, failure) {
      const seconds = secondsSince(current?.at ?? begun);
      current = undefined;
      const result = stepResult(name, seconds, failure);
      done.push(result);
      if (failure) note('*', `${name} failed: ${failure.reason}: ${failure.detail}`);
      watch.step?.(destination, result);
      return failure && { step: name, reason: failure.reason };
    },
    result: (verdict) => resultOf(verdict, done),
    soFar(facts) {
      const { name, at: since } = current ?? { name: 'tcp' as const, at: begun };
      const reason = unfinished[name] ?? 'timeout';
      const seconds = secondsSince(since);
      const detail = `under way, without an answer for ${seconds.toFixed(1)} s`;
      return resultOf({ failed: { step: name, reason }, facts }, [
        ...done,
        stepResult(name, seconds, { reason, detail }),
      ]);
    },
  };
}

function secondsSince(begun: number): number {
  return (performance.now() - begun) / 1000;
}

function stepResult(step: StepName, seconds: number, failure: Failure | undefined): StepResult {
  if (!failure) return { step, seconds, outcome: 'passed' };
  return { step, seconds, outcome: 'failed', reason: failure.reason, detail: failure.detail };
}
