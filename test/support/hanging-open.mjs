/** Loaded before the exporter: opening a file named dead.ndjson opens a pipe that nobody writes, as a dead mount hangs. */
import { promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { open } = promises;
promises.open = (path, ...rest) =>
  String(path).endsWith('dead.ndjson') ? open(process.env.HANGING_PIPE, 'r') : open(path, ...rest);
syncBuiltinESMExports();
