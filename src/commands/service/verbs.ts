/** `service` as its user types it. */
import { Option, type Command } from 'commander';
import { endWith } from '../exit.js';
import type { ServeFlags } from '../serve.js';
import type { InstallFlags } from './install-flags.js';

/** @param withFlags adds the flags of a verb */
export function addService(root: Command, withFlags: (command: Command, verb: 'service') => Command): void {
  const service = root.command('service').description('install, start, stop or look at the Windows service');
  service
    .command('install')
    .description('create or update the service: account, rights, port, firewall; then restart it')
    .option('--config.file <path>', 'Configuration in YAML; written once when it is not there.')
    .option('--listen-port <port>', 'Port that the first configuration names.', '10202')
    .option('--state.directory <path>', 'Folder for counts and positions that the first configuration names.')
    .option('--remote-addresses <list>', 'Addresses of Prometheus, between commas, that the firewall is opened for.')
    .option('--firewall <0|1>', '0 leaves the firewall as it is.', '1')
    .option('--no-start', 'Do not start it.')
    .addOption(new Option('--earlier-config <path>').hideHelp())
    .action(async (flags: InstallFlags) => {
      const { installCommand } = await import('./service.js');
      endWith(await installCommand(flags));
    });
  const run = service.command('run').description('what the service manager starts; not for a terminal');
  withFlags(run, 'service').action(async (flags: ServeFlags) => {
    const { runService } = await import('./run.js');
    endWith(await runService(flags));
  });
  service
    .command('uninstall')
    .description('stop and remove the service; configuration, state and log stay')
    .action(async () => {
      const { uninstallCommand } = await import('./service.js');
      endWith(await uninstallCommand());
    });
  service
    .command('start')
    .description('start it, and say how it stands')
    .action(async () => {
      const { startCommand } = await import('./service.js');
      endWith(await startCommand());
    });
  service
    .command('stop')
    .description('stop it: it saves before it ends')
    .action(async () => {
      const { stopCommand } = await import('./service.js');
      endWith(await stopCommand());
    });
  service
    .command('status')
    .description('state, last exit code and last error; exit code 1 when it does not run, 3 when there is none')
    .action(async () => {
      const { statusCommand } = await import('./service.js');
      endWith(await statusCommand());
    });
}
