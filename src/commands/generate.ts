/** The command `generate`: writes rules, dashboards and the Alertmanager example for one's own addresses. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../runtime/make-folder.js';
import { addressProblem, monitoringFile, monitoringFileNames } from '../web/generated/monitoring-files.js';
import { complain, print } from './terminal.js';

export type GenerateFlags = {
  readonly exporterUrl?: string;
  readonly grafanaUrl?: string;
  readonly datasourceUid?: string;
  readonly output: string;
};

/** @returns the exit code: 0 when all files are written, 1 when one could not be, 2 for a wrong flag */
export async function generateCommand(flags: GenerateFlags): Promise<number> {
  const problems = [
    ['--exporter-url', flags.exporterUrl && addressProblem(flags.exporterUrl)],
    ['--grafana-url', flags.grafanaUrl && addressProblem(flags.grafanaUrl)],
    ['--datasource-uid', flags.datasourceUid && uidProblem(flags.datasourceUid)],
  ].flatMap(([flag, problem]) => (problem === undefined || problem === '' ? [] : [`${flag}: ${problem}`]));
  if (problems.length > 0) return complain(problems, 2);
  for (const name of monitoringFileNames) {
    const file = path.join(flags.output, name);
    try {
      const text = await monitoringFile(name, flags);
      await makeFolder(path.dirname(file));
      await writeFile(file, text);
    } catch (error) {
      return complain([`${file}: cannot be written: ${(error as Error).message}`], 1);
    }
    print(`wrote ${file}\n`);
  }
  return 0;
}

/** Grafana takes letters, digits, dashes and underscores, up to 40. */
function uidProblem(uid: string): string | undefined {
  return /^[\w-]{1,40}$/.test(uid) ? undefined : `expected letters, digits, - and _, got ${JSON.stringify(uid)}`;
}
