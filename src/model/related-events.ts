/**
 * The events that stand around a 2002 and explain it: the closed list of what is kept, and what each one suggests.
 * Pages and runbooks show these words; the classifier goes by the list.
 */
import { type RelatedKind, relatedProviders } from './related-providers.js';

const byProvider = new Map(
  relatedProviders.flatMap(({ names, kinds }) => {
    const [shown = ''] = names;
    const byId = new Map(kinds.map((each) => [each.eventId, each]));
    return names.map((name) => [name.toLowerCase(), { shown, byId }] as const);
  }),
);

/** Every event ID of the list. */
export const relatedIds: ReadonlySet<number> = new Set(
  relatedProviders.flatMap(({ kinds }) => kinds.map(({ eventId }) => eventId)),
);

/** @returns the kind of an event, with the name of its provider as it is shown; undefined when it is not related */
export function relatedKindOf(
  provider: string,
  eventId: number,
): (RelatedKind & { readonly provider: string }) | undefined {
  const known = byProvider.get(provider.toLowerCase());
  const found = known?.byId.get(eventId);
  return known && found && { ...found, provider: known.shown };
}
