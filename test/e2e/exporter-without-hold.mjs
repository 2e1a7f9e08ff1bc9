/** The built exporter but for one thing: new series are shown at once. Takes the arguments of the real one that tests give. */
import { loadConfig } from '../../dist/config/config.js';
import { createLog } from '../../dist/runtime/log.js';
import { serve } from '../../dist/serve.js';

const args = process.argv.slice(2);
const valueOf = (flag) => args.find((arg) => arg.startsWith(`--${flag}=`))?.slice(flag.length + 3);
const { ok, config, mistakes } = await loadConfig({
  file: undefined,
  overrides: {
    files: args.slice(args.indexOf('--') + 1),
    stateDirectory: valueOf('state.directory'),
    listenAddresses: [valueOf('web.listen-address')],
    probe: false,
  },
});
if (!ok) throw new Error(mistakes.join('\n'));
const origin = { file: undefined, load: () => Promise.resolve({ ok, config }), inTests: { holdsBirths: false } };
const exporter = await serve(config, createLog({ level: 'info', format: 'logfmt' }), origin);
process.once('SIGTERM', () => void exporter.stop());
