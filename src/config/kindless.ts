/** What is wrong with a mapping whose kind is missing or mistyped. */
import type * as z from 'zod';
import { closestTo } from '../runtime/did-you-mean.js';

type Issue = z.core.$ZodIssue;
type Kindless = Extract<Issue, { readonly code: 'invalid_union' }> & {
  readonly discriminator?: string;
  readonly options?: readonly unknown[];
};

/**
 * Of a mapping whose kind is not known the schema says no more than that. What else is wrong with it is told as of the
 * kind that was meant, or with which least is wrong.
 */
export function allIssues(schema: z.ZodType, value: unknown, issues: readonly Issue[]): readonly Issue[] {
  const kindless = issues.filter((issue): issue is Kindless => issue.code === 'invalid_union' && 'options' in issue);
  if (kindless.length === 0) return issues;
  const places = new Set(kindless.map(({ path }) => placeOf(path.slice(0, -1))));
  const least = new Map<string, readonly Issue[]>();
  const kinds = new Set(kindless.flatMap(({ options }) => options ?? []));
  const meant = meantKinds(value, kindless, [...kinds].map(String));
  for (const kind of kinds) {
    const found = issuesByPlace(schema.safeParse(withKind(value, kindless, kind)).error?.issues ?? [], places);
    for (const place of places) {
      if ((meant.get(place) ?? kind) !== kind) continue;
      const [before, now] = [least.get(place), found.get(place) ?? []];
      if (!before || weightOf(now) < weightOf(before)) least.set(place, now);
    }
  }
  return [...issues, ...[...least.values()].flat()];
}

/** The kinds whose names were merely mistyped, by place. */
function meantKinds(value: unknown, kindless: readonly Kindless[], kinds: readonly string[]): Map<string, string> {
  const meant = new Map<string, string>();
  for (const { path } of kindless) {
    const written = path.reduce<unknown>((so, part) => (so as Record<PropertyKey, unknown>)[part], value);
    const kind = typeof written === 'string' && written.length < 64 ? closestTo(written, kinds) : undefined;
    if (kind !== undefined) meant.set(placeOf(path.slice(0, -1)), kind);
  }
  return meant;
}

/** A key that a kind does not know speaks against it, however many values are wrong. */
function weightOf(issues: readonly Issue[]): number {
  return issues.reduce((sum, { code }) => sum + (code === 'unrecognized_keys' ? 1_000 : 1), 0);
}

function withKind(value: unknown, kindless: readonly Kindless[], kind: unknown): unknown {
  const changed: unknown = structuredClone(value);
  for (const { path } of kindless) {
    const parent = path.slice(0, -1).reduce<unknown>((so, part) => (so as Record<PropertyKey, unknown>)[part], changed);
    (parent as Record<PropertyKey, unknown>)[path.at(-1) ?? ''] = kind;
  }
  return changed;
}

/** Those within one of the places; each unknown key is a mistake of its own. */
function issuesByPlace(issues: readonly Issue[], places: ReadonlySet<string>): Map<string, Issue[]> {
  const found = new Map<string, Issue[]>();
  for (const issue of issues)
    for (let depth = 1; depth <= issue.path.length; depth++) {
      const place = placeOf(issue.path.slice(0, depth));
      if (!places.has(place)) continue;
      const one = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => ({ ...issue, keys: [key] })) : [issue];
      const known = found.get(place);
      if (known) for (const each of one) known.push(each);
      else found.set(place, one);
    }
  return found;
}

function placeOf(path: readonly PropertyKey[]): string {
  return JSON.stringify(path);
}
