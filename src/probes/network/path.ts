/** The path to one address, hop by hop, by whichever program is installed; never throws. */
import type { PathReport } from '../../model/probes.js';
import { shown } from '../smtp-lines.js';
import { pathPrograms } from './path-programs.js';
import { echoAddressOf } from './ping.js';
import { failureOf, findProgram, runProgram, type ReportOptions } from './run-program.js';

/** Asks the first program that is there and may do it; the next one when it may not or shows nothing. */
export async function findPath(address: string, options: ReportOptions): Promise<PathReport> {
  const { signal, now = Date.now, platform = process.platform, find = findProgram, run = runProgram } = options;
  const none = { at: now(), program: '', reached: false, hops: [] };
  const target = echoAddressOf(address);
  if (target === undefined) return { ...none, state: 'failed', detail: `${shown(address)} is not an IP address` };
  const programs = pathPrograms.filter((program) => program.windows === (platform === 'win32'));
  let report: PathReport = {
    ...none,
    state: 'no_program',
    detail: `none of ${programs.map(({ name }) => name).join(', ')} on this machine`,
  };
  for (const { name, words, limitMs, read } of programs) {
    const file = await find(name);
    if (file === undefined || signal.aborted) continue;
    const ran = await run(file, words(target), { limitMs, signal, onText: options.onText });
    const hops = read(ran.output);
    // A program that was ended in the middle of a black hole has shown where the hole begins.
    if (hops.length > 0) {
      return { ...none, program: name, state: 'done', reached: hops.at(-1)?.address === target, hops };
    }
    report = { ...none, program: name, ...failureOf(ran) };
  }
  return report;
}
