/** Drills: marked events 2002 that take the same path as real ones, so that a team can test its paging. */
import { appendFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { kindProblem } from '../../runtime/plain-file.js';
import { makeFolder } from '../../runtime/make-folder.js';

/** Every drill's Send connector begins with it: in metrics, alerts, notifications, pages and the ledger. */
export const drillMark = 'DRILL: ';

/** Label of the source that drills come in by. */
export const drillSource = 'drills';

export function isDrill(connector: string): boolean {
  return connector.startsWith(drillMark);
}

/** Where drills are written and read: a folder of its own, so that a save of the ledger is no news of a file to read. */
export function drillFile(stateDirectory: string): string {
  return join(stateDirectory, 'drills', 'drills.ndjson');
}

export type Drill = {
  /** As a real record would name it, without the mark. */
  readonly connector: string;
  /** `203.0.113.25:25`, as Exchange writes it. */
  readonly destination: string;
  readonly server: string;
};

/**
 * Writes one event. It has no record ID: a made-up one would be taken for the numbering of the server's real log.
 * @throws the error of the system when the file cannot be written
 */
export async function writeDrill(file: string, { connector, destination, server }: Drill, at: Date): Promise<void> {
  const name = `${drillMark}${connector}`;
  const event = {
    '@timestamp': at.toISOString(),
    message: `Send connector ${name}: an error occurred while connecting to ${destination}.`,
    winlog: {
      provider_name: 'MSExchangeTransport',
      channel: 'Application',
      computer_name: server,
      event_id: '2002',
      event_data: { param1: name, param2: destination },
    },
  };
  await makeFolder(dirname(file));
  const stats = await stat(file).catch(() => undefined);
  const problem = stats && kindProblem(stats);
  if (problem !== undefined) throw new Error(problem);
  await appendFile(file, `${JSON.stringify(event)}\n`);
}
