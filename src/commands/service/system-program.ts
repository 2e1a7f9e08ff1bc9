/** Runs a program of Windows by its full path. */
import { execFile } from 'node:child_process';
import path from 'node:path';

const patienceMs = 30_000;

export type Answer = { readonly ok: boolean; readonly output: string };

/** @returns what it printed, and whether it ended with 0; never throws */
export function systemProgram(name: string, args: readonly string[]): Promise<Answer> {
  const file = path.win32.join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', name);
  return new Promise((resolve) => {
    execFile(file, args, { windowsHide: true, timeout: patienceMs }, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`.trim();
      resolve({ ok: error === null, output: output === '' && error ? error.message : output });
    });
  });
}

/** The call as a person types it, in cmd and in PowerShell: what either takes for its own stands in quotation marks. */
export function commandText(name: string, args: readonly string[]): string {
  return [name, ...args.map((each) => (/^[\w\\:./=-]+$/.test(each) ? each : `"${each}"`))].join(' ');
}
