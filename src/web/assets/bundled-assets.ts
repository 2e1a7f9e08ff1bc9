/** The style sheet and the script of the pages; the single-file program has their texts in place of this file. */
import { readFileSync } from 'node:fs';

/** They stand beside the compiled code as well as beside the sources. */
export function bundledAsset(name: 'style.css' | 'refresh.js'): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}
