/** The version of this exporter, from its package.json. */
import { readFileSync } from 'node:fs';

/** For instance `0.1.0`. */
export function exporterVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
