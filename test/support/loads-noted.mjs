/** Loaded before the exporter: writes the address of every file that is loaded as code into the file that LOADS_NOTED names. */
import { appendFileSync } from 'node:fs';
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) register(import.meta.url);

export async function load(url, context, next) {
  if (url.startsWith('file:')) appendFileSync(process.env.LOADS_NOTED, `${url}\n`);
  return next(url, context);
}
