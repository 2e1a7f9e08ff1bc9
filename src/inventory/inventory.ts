/** The inventory: Send connectors as exported with Get-SendConnector, re-read when the export changes. */
import { decodeExport, type Export } from './export-file.js';
import type { Log } from '../runtime/log.js';
import type { SendConnector, TransportServer } from '../model/connectors.js';
import { readDatedFile } from '../runtime/plain-file.js';
import { watchFiles } from '../runtime/watch-files.js';

export type Inventory = {
  /** In the order of the file; the last good ones while the file is wrong. */
  readonly connectors: () => readonly SendConnector[];
  /** Empty where the export does not tell of them. */
  readonly servers: () => readonly TransportServer[];
  /** What is not seen, in the sentences of `doubtsOf`. */
  readonly doubts: () => ReturnType<typeof doubtsOf>;
  /** Name of the connector with this GUID, written in any form. */
  readonly nameOf: (guid: string) => string | undefined;
  readonly status: () => InventoryStatus;
  readonly close: () => void;
};

export type InventoryStatus = {
  readonly file: string | undefined;
  /** When the file in force was written, milliseconds since 1970 UTC. */
  readonly modifiedAt: number | undefined;
  /** What is wrong with the file as it is now: place and remedy. */
  readonly problem: string | undefined;
};

const none: Inventory = {
  connectors: () => [],
  servers: () => [],
  doubts: () => [],
  nameOf: () => undefined,
  status: () => ({ file: undefined, modifiedAt: undefined, problem: undefined }),
  close: () => undefined,
};

/**
 * Reads the export and watches it. A file that is missing or wrong is a problem, told in the log and in the status, and
 * never the end of the exporter: errors are counted without it.
 * @param changed called after each reading that went well, the first one included; without a file once, with nothing
 */
export async function openInventory(
  file: string | undefined,
  log: Log,
  changed: (connectors: readonly SendConnector[], servers: readonly TransportServer[]) => void = () => undefined,
): Promise<Inventory> {
  if (file === undefined) {
    changed([], []);
    return none;
  }
  let current: Export = { connectors: [], servers: [], leftOut: [] };
  let names = new Map<string, string>();
  let status: InventoryStatus = { file, modifiedAt: undefined, problem: undefined };
  const read = async (): Promise<void> => {
    const loaded = await loadInventory(file);
    if (!loaded.ok) {
      if (loaded.problem !== status.problem)
        log.warn('the inventory cannot be read; the last good one stays in force', { problem: loaded.problem });
      status = { ...status, problem: loaded.problem };
      return;
    }
    const { connectors } = loaded;
    names = new Map(connectors.flatMap(({ guid, name }) => (guid === undefined ? [] : [[guid, name]])));
    status = { file, modifiedAt: loaded.modifiedAt, problem: undefined };
    log.info('the inventory was read', { file, connectors: connectors.length });
    const doubts = doubtsOf(loaded);
    if (JSON.stringify(doubts) !== JSON.stringify(doubtsOf(current)))
      for (const { about, message } of doubts) log.warn(message, { about });
    current = loaded;
    changed(connectors, loaded.servers);
  };
  // Watched first: what is written while it is read is seen.
  const watch = watchFiles(() => [file], read);
  await read();
  return {
    connectors: () => current.connectors,
    servers: () => current.servers,
    doubts: () => doubtsOf(current),
    nameOf: (guid) => names.get(guid.replace(/[{}]/g, '').toLowerCase()),
    status: () => status,
    close: watch.close,
  };
}

/** What an operator should know: what is not seen, of which connector or server, and how to see it. */
export function doubtsOf({
  connectors,
  servers,
  leftOut,
}: Export): { readonly about: string; readonly message: string }[] {
  const silent = connectors.filter(({ enabled, protocolLogging }) => enabled && protocolLogging === false);
  const quiet = servers.filter(({ eventLevel }) => !['high', 'expert'].includes(eventLevel?.toLowerCase() ?? ''));
  const level = (server: string): string =>
    `Set-EventLogLevel "${server.split('.')[0] ?? server}\\MSExchangeTransport\\SmtpSend" -Level High`;
  return [
    ...leftOut.map((problem) => ({ about: 'inventory', message: `a value is left out: ${problem}; ${remedy}` })),
    ...silent.map(({ name }) => ({
      about: name,
      message:
        'failures after the connect (banner, STARTTLS, TLS) of this Send connector are not seen: its ProtocolLoggingLevel is None; Set-SendConnector -ProtocolLoggingLevel Verbose',
    })),
    ...quiet.map(({ name, eventLevel }) => ({
      about: name,
      message: `event 2002 of this server is ${eventLevel === undefined ? 'perhaps ' : ''}not written: its event level of SmtpSend is ${eventLevel ?? 'not known'}; ${level(name)}`,
    })),
    ...(connectors.length > 0 && servers.length === 0 ? [levelsUnknown] : []),
  ];
}

const levelsUnknown = {
  about: 'event levels',
  message:
    'the inventory does not tell whether the servers write event 2002, which they do from the event level High; export it with examples/windows/Export-SendConnectors.ps1',
};

const remedy = 'export it again with examples/windows/Export-SendConnectors.ps1';

type LoadedInventory =
  ({ readonly ok: true; readonly modifiedAt: number } & Export) | { readonly ok: false; readonly problem: string };

/** Reads an export in any of its forms. Never throws: what is wrong is a sentence with place and remedy. */
export async function loadInventory(file: string): Promise<LoadedInventory> {
  try {
    const { content, modifiedAt } = await readDatedFile(file);
    const read = decodeExport(content);
    if (read.ok) return { ...read, modifiedAt };
    return { ok: false, problem: `${file}: ${read.mistakes.join('; ')}; ${remedy}` };
  } catch (error) {
    return { ok: false, problem: `${file}: expected a readable file, got ${(error as Error).message}; ${remedy}` };
  }
}
