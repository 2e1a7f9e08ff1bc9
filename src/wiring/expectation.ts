/** What the inventory expects: names of servers, and rows that are shown at zero before anything fails. */
import type { Config } from '../config/config.js';
import { onlyServerOf } from '../events/sources/sources.js';
import { expectedRows } from '../inventory/expected-rows.js';
import type { Export } from '../inventory/export-file.js';
import type { Ledger } from '../ledger/ledger.js';
import type { DeclaredName } from '../ledger/server-names.js';
import { serverLabelOf } from '../model/label.js';
import type { Inlets, Parts } from './parts.js';

/** What others than records tell of the names of servers: before a record is read that may have another of them. */
export function knowServers(
  ledger: Ledger,
  { sources }: Config,
  { connectors, servers, host }: Pick<Export, 'connectors' | 'servers'> & { readonly host: DeclaredName | undefined },
): void {
  const declared = servers.flatMap(({ shortName: short, name: full }) =>
    short === undefined ? [] : [{ short, full }],
  );
  const set = sources.flatMap((source) => ('server' in source ? (source.server ?? []) : []));
  const named = [
    ...set,
    ...connectors.flatMap(({ sourceServers }) => sourceServers),
    ...servers.map(({ name }) => name),
  ];
  // The host knows its own name best.
  const others = declared.filter(({ short }) => short !== host?.short);
  ledger.knowServers(named.map(serverLabelOf), host ? [...others, host] : others);
}

/**
 * Has the ledger show at zero what the inventory expects: again when the inventory changes, and when a probe has resolved a
 * smart host or a record has told the full name of a server.
 */
export function keepExpecting(config: Config, inlets: Inlets, { ledger, board }: Parts) {
  let last = '';
  let isDue = false;
  const expectation = {
    renew: (connectors = inlets.inventory?.connectors() ?? [], servers = inlets.inventory?.servers() ?? []): void => {
      if (connectors.length === 0 && last === '[]') return;
      // What records say goes before what the inventory says; a row that is only expected says nothing.
      const seen = ledger.rows().filter((row) => row.lastErrorAt !== undefined || row.lastAttemptAt !== undefined);
      const rows = expectedRows({
        connectors,
        knownServers: [...new Set([...servers, ...seen.map(({ server: name }) => ({ name }))].map(({ name }) => name))],
        nameOfServer: ledger.nameOfServer,
        ownServers: ownServers(config),
        addressesOf: (destination) => board.entry(destination)?.latest.facts.addresses ?? [],
      });
      const text = JSON.stringify(rows);
      if (text !== last) ledger.expect(rows);
      last = text;
    },
    /** Once for all servers that are met in one go, after what is being done is done. */
    renewSoon: (): void => {
      if (isDue) return;
      isDue = true;
      setImmediate(() => {
        isDue = false;
        expectation.renew();
      });
    },
  };
  return expectation;
}

/** The servers whose records alone can be in the sources; undefined when the files may hold those of any. */
function ownServers({ sources }: Config): readonly string[] | undefined {
  const named = sources.map(onlyServerOf);
  return named.every((name) => name !== undefined) ? named : undefined;
}
