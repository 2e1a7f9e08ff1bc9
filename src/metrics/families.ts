/** Samples of a family, and how they are written. */
import { type Family, familyHead, sample, secondsOf } from './exposition.js';

export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number | undefined];

export function familyText(family: Family, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => (value === undefined ? '' : sample(family.name, labels, value)));
  return familyHead(family) + lines.join('');
}

export function optionalSeconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : secondsOf(milliseconds);
}
