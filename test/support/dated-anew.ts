/** Samples with their dates moved: what is older than `destinations.forgetAfter` is not shown. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

const dayMs = 86_400_000;

/**
 * Copies a sample; every day named in it, as in `2026-01-15`, becomes the day so long ago.
 * @returns the path of the copy
 */
export async function datedAnew(sample: string, folder: string, daysAgo: number): Promise<string> {
  const day = new Date(Date.now() - daysAgo * dayMs).toISOString().slice(0, 10);
  // latin1 keeps every byte as it is.
  const text = await readFile(sample, 'latin1');
  const copy = path.join(folder, path.basename(sample));
  await writeFile(copy, text.replace(/\b20\d\d-\d\d-\d\d(?=T)/g, day), 'latin1');
  return copy;
}
