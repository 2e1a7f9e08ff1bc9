/** Figures that are kept in the tree: a benchmark fails when one has become worse by more than a fifth, or misses its aim. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Worse by more than this is a fault. */
const tolerance = 1.2;

/**
 * Compares figures, of which less is better, with those that are kept; sets the exit code to 1 and says why when one is worse.
 * `KEEP=1` keeps the new ones instead.
 * @param file JSON: figures by name
 * @param aims by the same names: what is missed is said, and is no fault
 */
export async function compare(file, figures, aims = {}) {
  tellMissed(figures, aims);
  const kept = JSON.parse(await readFile(file, 'utf8').catch(() => '{}'));
  if (process.env.KEEP) {
    const rounded = Object.fromEntries(
      Object.entries(figures).map(([name, value]) => [name, Number(value.toFixed(3))]),
    );
    // The figures of a benchmark that had none have no folder yet.
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, `${JSON.stringify(rounded, undefined, 2)}\n`);
    return;
  }
  for (const [name, value] of Object.entries(figures)) {
    if (value <= kept[name] * tolerance) continue;
    // Without a figure to compare with, nothing is known to be no worse.
    const before = kept[name] === undefined ? 'none is kept (KEEP=1 keeps them)' : `was ${short(kept[name])}`;
    console.error(`worse: ${name}: ${short(value)}, ${before}`);
    process.exitCode = 1;
  }
}

/** What misses its aim is said, and is no fault. */
export function tellMissed(figures, aims) {
  for (const [name, aim] of Object.entries(aims))
    if (figures[name] > aim) console.error(`missed: ${name}: ${short(figures[name])}, aim ${aim}`);
}

function short(value) {
  return value.toPrecision(3);
}
