/** The command `drill`: marked errors through the real path, from a record in a file to the page in the night. */
import { access } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { loadConfig } from '../config.js';
import { drillFile, drillMark, writeDrill } from '../drill.js';
import { destinationOf, endpointOf } from '../endpoint.js';

export type DrillFlags = {
  readonly connector: string;
  readonly destination: string;
  readonly server?: string;
  readonly count: number;
  readonly 'config.file'?: string;
  readonly 'state.directory'?: string;
};

/** Between two errors of one drill: each has a time of its own. */
const apart = 100;

/** @returns the exit code: 0 when the errors are written, 1 when they could not be */
export async function drillCommand(flags: DrillFlags): Promise<number> {
  const endpoint = endpointOf(flags.destination, 25);
  if (!endpoint) return complain(`--destination: expected host:port, got ${JSON.stringify(flags.destination)}`);
  const stateDirectory = flags['state.directory'];
  const loaded = await loadConfig({
    file: flags['config.file'],
    overrides: { ...(stateDirectory !== undefined && { stateDirectory }) },
  });
  if (!loaded.ok) return complain(loaded.mistakes.join('\n'));
  const { directory } = loaded.config.state;
  const file = drillFile(directory);
  const drill = {
    connector: flags.connector,
    destination: destinationOf(endpoint),
    server: (flags.server ?? hostname()).toLowerCase(),
  };
  try {
    // The exporter makes the folder: without it none has run here, and nobody would read the drill.
    await access(directory);
    for (let written = 0; written < flags.count; written++) {
      if (written > 0) await pause(apart);
      await writeDrill(file, drill, new Date());
    }
  } catch (error) {
    return complain(
      `${file}: cannot be written: ${(error as Error).message}; expected the state folder of a running exporter (--state.directory or --config.file, as it was started with)`,
    );
  }
  process.stdout.write(reportOf(drill, flags.count));
  return 0;
}

function reportOf(
  { connector, destination, server }: { connector: string; destination: string; server: string },
  count: number,
): string {
  const name = `${drillMark}${connector}`;
  return `${count === 1 ? 'One drill error' : `${count} drill errors`} of ${server}: "${name}" to ${destination}.
Expect, within two scrapes and the wait of Alertmanager, a notification that names "${name}":
${count >= 3 ? 'SendConnectorError, then SendConnectorErrorsRepeated.' : 'SendConnectorError; with --count=3 SendConnectorErrorsRepeated too.'}
The status page and /metrics show it under that name only; the real connector's series do not change.
`;
}

function complain(text: string): number {
  process.stderr.write(`${text}\n`);
  return 1;
}
