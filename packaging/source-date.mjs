/** The time that files of a release carry: that of the commit, so that the same commit gives the same bytes. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);

/** Outside of a checkout, as for the MSI. */
const usual = Date.UTC(2000, 0, 1) / 1000;

/** @returns seconds since 1970 UTC: SOURCE_DATE_EPOCH, else the time of the last commit */
export function sourceDate(env = process.env) {
  const given = env.SOURCE_DATE_EPOCH;
  if (given !== undefined && given !== '') {
    if (!/^\d{1,10}$/.test(given)) throw new Error(`SOURCE_DATE_EPOCH: expected seconds since 1970, got ${given}`);
    return Number(given);
  }
  return Number(ofCommit('%ct') ?? usual);
}

/** @returns the last commit, or undefined outside of a checkout */
export function sourceRevision() {
  return ofCommit('%H');
}

function ofCommit(format) {
  try {
    const args = ['log', '-1', `--format=${format}`];
    return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
