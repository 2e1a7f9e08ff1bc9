/** The version of this exporter, from its package.json. */
import { readFileSync } from 'node:fs';

const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');

/** For instance `0.1.0`. */
export const version = (JSON.parse(manifest) as { version: string }).version;
