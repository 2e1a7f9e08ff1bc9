/**
 * The events that stand around a 2002 and explain it: the closed list of what is kept, and what each one suggests.
 * Pages and runbooks show these words; the classifier goes by the list.
 */
import { type RelatedKind, relatedProviders } from './related-providers.js';
import { remembering } from '../runtime/memoize.js';

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

/** Providers come again and again, as they are written. */
const kindsOf = remembering((provider) => byProvider.get(provider.toLowerCase()) ?? noKinds);
const noKinds: ReadonlyMap<number, RelatedKind & { readonly provider: string }> = new Map();

/** @returns the kind of an event, with the name of its provider as it is shown; undefined when it is not related */
export function relatedKindOf(
  provider: string,
  eventId: number,
): (RelatedKind & { readonly provider: string }) | undefined {
  return kindsOf(provider).get(eventId);
}
