/** Answers `/sd`: every destination in the form of Prometheus' http_sd, so that other probers can take them over. */
import type { Steps } from '../../runtime/breath.js';
import { endpointOf } from '../../model/endpoint.js';
import { many, type Many } from '../parts/long-list.js';
import type { Books } from '../books.js';

export type TargetGroup = { readonly targets: readonly string[]; readonly labels: Readonly<Record<string, string>> };

type Known = Pick<Books, 'ledger' | 'board' | 'notProbed' | 'targets'>;

type Draft = { host: string; origin: string; readonly connectors: Set<string>; readonly servers: Set<string> };

/**
 * One group for each destination. Lists are written as Prometheus does it, with a comma around each entry, so that a
 * regular expression can ask for one: `.*,Outbound to Internet,.*`.
 */
export function* discoveryOf({ ledger, board, notProbed, targets }: Known): Steps<Many> {
  const drafts = new Map<string, Draft>();
  const draftOf = (destination: string): Draft => {
    const known = drafts.get(destination);
    if (known) return known;
    const host = endpointOf(destination)?.host ?? '';
    const draft: Draft = { host, origin: 'observed', connectors: new Set(), servers: new Set() };
    drafts.set(destination, draft);
    return draft;
  };
  for (const { destination, host, origin } of targets()) Object.assign(draftOf(destination), { host, origin });
  for (const { destination, latest } of board.entries()) {
    Object.assign(draftOf(destination), { host: latest.host, origin: latest.origin });
  }
  for (const { destination, connector, server } of ledger.rows()) {
    yield;
    // `other` and domains that could not be resolved are no end points.
    if (!endpointOf(destination)) continue;
    draftOf(destination).connectors.add(connector);
    draftOf(destination).servers.add(server);
  }
  return many(drafts, ([destination, draft]): TargetGroup => ({
    targets: [destination],
    labels: {
      __meta_exchange_destination: destination,
      __meta_exchange_host: draft.host,
      __meta_exchange_origin: draft.origin,
      __meta_exchange_connectors: listText(draft.connectors),
      __meta_exchange_servers: listText(draft.servers),
      __meta_exchange_probed: String(notProbed(destination) === undefined),
    },
  }));
}

function listText(names: ReadonlySet<string>): string {
  return names.size === 0 ? '' : `,${[...names].sort().join(',')},`;
}
