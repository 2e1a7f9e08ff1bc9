/**
 * The events that stand around a 2002 and explain it: the closed list of what is kept, and what each one suggests.
 * Pages and runbooks show these words; the classifier goes by the list.
 */
import { type RelatedKind, relatedProviders } from './related-providers.js';

const byProvider = new Map(
  relatedProviders.flatMap(({ names, kinds }) => {
    const [shown = ''] = names;
    const byId = new Map(kinds.map((each) => [each.eventId, { ...each, provider: shown }]));
    return names.map((name) => [name.toLowerCase(), byId] as const);
  }),
);

/** Every event ID of the list. */
export const relatedIds: ReadonlySet<number> = new Set(
  relatedProviders.flatMap(({ kinds }) => kinds.map(({ eventId }) => eventId)),
);

/** Its kinds by event ID; none for a provider that has none. Names are compared without regard to case. */
export function relatedKindsOf(provider: string): ReadonlyMap<number, NamedKind> {
  return byProvider.get(provider.toLowerCase()) ?? noKinds;
}

/** @returns the kind of an event, with the name of its provider as it is shown; undefined when it is not related */
export function relatedKindOf(provider: string, eventId: number): NamedKind | undefined {
  return relatedKindsOf(provider).get(eventId);
}

type NamedKind = RelatedKind & { readonly provider: string };
const noKinds: ReadonlyMap<number, NamedKind> = new Map();
