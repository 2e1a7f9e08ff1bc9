/** The command `drill`: marked errors through the real path, from a record in a file to the page in the night. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { loadConfig } from '../config/config.js';
import { drillFile, drillMark, writeDrill, type Drill } from '../events/sources/drills.js';
import { destinationOf, endpointOf } from '../model/endpoint.js';
import { labelOf } from '../model/label.js';
import { ownerOfStateFolder } from '../ledger/folder-lock.js';
import { complain, print } from './terminal.js';
import { countedSoFar, followDrill } from './drill-follow.js';
import { overridesOf } from './flags.js';

export type DrillFlags = {
  readonly connector: string;
  readonly destination: string;
  readonly server?: string;
  readonly count: number;
  readonly 'config.file'?: string;
  readonly prometheusUrl?: string;
  readonly alertmanagerUrl?: string;
  /** Seconds to follow the drill; 0 writes it and ends. */
  readonly wait: number;
};

/** Between two errors of one drill: each has a time of its own. */
const apart = 100;

/** @returns the exit code: 0 when the drill came as far as was asked, 1 when it did not, 2 for a wrong flag */
export async function drillCommand(flags: DrillFlags): Promise<number> {
  const endpoint = endpointOf(flags.destination, 25);
  if (!endpoint) return complain([`--destination: expected host:port, got ${JSON.stringify(flags.destination)}`], 2);
  const loaded = await loadConfig({ file: flags['config.file'], overrides: overridesOf(flags) });
  if (!loaded.ok) return complain(loaded.mistakes, loaded.inFlags === true ? 2 : 1);
  const { directory } = loaded.config.state;
  const drill = {
    // As the label of it will be, by which it is followed.
    connector: labelOf(flags.connector),
    destination: destinationOf(endpoint),
    server: (flags.server ?? hostname()).toLowerCase(),
  };
  try {
    const owner = await ownerOfStateFolder(directory).catch(() => undefined);
    if (owner === undefined) return complain([nobodyThere(directory)], 1);
    print(`the exporter with process id ${owner} uses ${directory}\n`);
    return await writeAndFollow(drill, directory, flags);
  } catch (error) {
    return complain([`${drillFile(directory)}: ${(error as Error).message}`], 1);
  }
}

async function writeAndFollow(drill: Drill, directory: string, flags: DrillFlags): Promise<number> {
  const { connector, destination, server } = drill;
  const ledgerFile = join(directory, 'ledger.json');
  const before = await countedSoFar(ledgerFile, connector, destination);
  for (let written = 0; written < flags.count; written++) {
    if (written > 0) await pause(apart);
    await writeDrill(drillFile(directory), drill, new Date());
  }
  const errors = flags.count === 1 ? 'one error' : `${flags.count} errors`;
  print(`written: ${errors} of ${server}, "${drillMark}${connector}" to ${destination}\n`);
  if (flags.wait > 0) {
    const { prometheusUrl, alertmanagerUrl } = flags;
    const problem = await followDrill(
      { connector, destination, ledgerFile, before, count: flags.count, prometheusUrl, alertmanagerUrl },
      {
        waitMs: flags.wait * 1000,
        print: (line) => {
          print(`${line}\n`);
        },
      },
    );
    if (problem !== undefined) return complain([problem], 1);
  }
  print(whatFollows(`${drillMark}${connector}`, flags.count));
  return 0;
}

function nobodyThere(directory: string): string {
  return `${directory}: no exporter runs on this state folder, so nothing would read the drill; expected the folder of a running one (--state.directory or --config.file, as it was started with)`;
}

function whatFollows(name: string, count: number): string {
  return `Expect, within two scrapes and the wait of Alertmanager, a notification that names "${name}":
${count >= 3 ? 'SendConnectorError, then SendConnectorErrorsRepeated.' : 'SendConnectorError; with --count=3 SendConnectorErrorsRepeated too.'}
The status page and /metrics show it under that name only; the real connector's series do not change.
`;
}
