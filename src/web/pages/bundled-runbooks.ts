/** The runbooks that come with the exporter; the single-file program has their texts in place of this file. */
import { fileURLToPath } from 'node:url';

/** Their folder, beside the compiled code as well as beside the sources; or their texts by name. */
export const bundledRunbooks: string | ReadonlyMap<string, string> = fileURLToPath(
  new URL('../../../alerts/runbooks', import.meta.url),
);
