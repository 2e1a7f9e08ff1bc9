/** The rules, dashboards and examples that come with the exporter; the single-file program has their texts in place of this file. */
import { fileURLToPath } from 'node:url';

/** The folder that holds `alerts` and `dashboards`, beside the compiled code as well as beside the sources; or texts by name. */
export const bundledMonitoring: string | ReadonlyMap<string, string> = fileURLToPath(
  new URL('../../..', import.meta.url),
);
