/** Loaded before the exporter: sends it SIGTERM at the moment when it loads the module that STOPPED_AT names. */
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) register(import.meta.url);

export async function load(url, context, next) {
  if (url === process.env.STOPPED_AT) process.kill(process.pid, 'SIGTERM');
  return next(url, context);
}
