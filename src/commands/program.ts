/** The program as its user types it: verbs, flags and help. */
import { Command } from 'commander';
import { existsSync } from 'node:fs';
import { endProcess } from '../runtime/process-end.js';
import { stopSignal } from '../runtime/stop-signal.js';
import { exporterVersion } from '../runtime/version.js';
import type { DemoFlags } from './demo.js';
import type { DoctorFlags } from './doctor.js';
import type { DrillFlags } from './drill.js';
import { endWith } from './exit.js';
import { demoPort, positiveNumber } from './flag-values.js';
import { flagsOf, type Verb } from './flags.js';
import type { GenerateFlags } from './generate.js';
import type { ProbeFlags } from './probe.js';
import type { SeedFlags } from './seed.js';
import type { ServeFlags } from './serve.js';
import { addService } from './service/verbs.js';

const examples = `
Examples:
  Read an export of the Application log, probe nothing:
    $ send-connector-exporter --no-probe application.ndjson

  Follow what Winlogbeat writes, and probe only your own smart hosts:
    $ send-connector-exporter --probe.allow=203.0.113.0/24 '/var/log/winlogbeat/*.ndjson'

  Check a configuration file, then use it:
    $ send-connector-exporter check config.yml
    $ send-connector-exporter --config.file=config.yml

  Visit one destination now, and look at the way there:
    $ send-connector-exporter probe relay.contoso.example:25

  See it all work on this machine alone:
    $ send-connector-exporter demo

With the defaults, the status page is at http://localhost:10202/ and the metrics at http://localhost:10202/metrics.`;

export function program(): Command {
  const root = new Command('send-connector-exporter')
    .description('Prometheus exporter for Exchange Send connectors: which cannot reach what, since when, and why.')
    .version(exporterVersion(), '--version', 'Print the version.')
    .helpOption('-h, --help', 'Print this.')
    .helpCommand('help [command]', 'print this, or the help of a command')
    .enablePositionalOptions()
    .showHelpAfterError('(--help lists the flags)')
    // Thrown, not ended at once: what was printed has to be written first.
    .exitOverride()
    .addHelpText('after', examples);
  addServe(root, true);
  addServe(root.command('serve').description('read, probe and answer; this is the default command'), false);
  addCheck(root);
  addDoctor(root);
  addDrill(root);
  addSeed(root);
  addProbe(root);
  addGenerate(root);
  addDemo(root);
  addService(root, withFlags);
  addVersion(root);
  addReader(root);
  return root;
}

function withFlags(command: Command, verb: Verb): Command {
  for (const flag of flagsOf(verb)) command.addOption(flag);
  return command;
}

/** Read, probe, answer, until a signal comes: the command without a name, where a mistyped command arrives, too. */
function addServe(command: Command, mayBeMistyped: boolean): void {
  withFlags(command, 'serve')
    .argument('[files...]', 'files, folders or globs to read; they replace the sources of the configuration file')
    .action(async (files: string[], flags: ServeFlags) => {
      // Before anything that takes time: a service may be stopped in its first second.
      const signal = stopSignal();
      if (mayBeMistyped) await refuseMistyped(command, files[0]);
      const { serveCommand, terminalHost } = await import('./serve.js');
      endWith(await serveCommand(files, flags, terminalHost(signal)));
    });
}

function addCheck(root: Command): void {
  root
    .command('check')
    .description('check a configuration file: report every error with its line number; exit code 1 if there is one')
    .argument('<file>', 'configuration in YAML')
    .action(async (file: string) => {
      const { checkCommand } = await import('./check.js');
      endWith(await checkCommand(file));
    });
}

function addDoctor(root: Command): void {
  withFlags(root.command('doctor'), 'doctor')
    .description('check everything the exporter needs on this machine, and say what to do')
    .argument('[files...]', 'files, folders or globs to read: the same as for the exporter')
    .action(async (files: string[], flags: DoctorFlags) => {
      const { doctorCommand } = await import('./doctor.js');
      endWith(await doctorCommand(files, flags));
    });
}

function addDrill(root: Command): void {
  withFlags(root.command('drill'), 'drill')
    .description('send marked errors to a running exporter, to test alerts and paging')
    .action(async (flags: DrillFlags) => {
      const { drillCommand } = await import('./drill.js');
      endWith(await drillCommand(flags));
    });
}

function addSeed(root: Command): void {
  withFlags(root.command('seed'), 'seed')
    .description('before the first start: take over the counts and positions of another exporter of the pair')
    .action(async (flags: SeedFlags) => {
      const { seedCommand } = await import('./seed.js');
      endWith(await seedCommand(flags));
    });
}

function addProbe(root: Command): void {
  withFlags(root.command('probe'), 'probe')
    .description('visit one destination now: every step, time and line, ping and path; exit code 1 if it fails')
    .argument('<host[:port]>', 'host name or address, and port (25)')
    .action(async (destination: string, flags: ProbeFlags) => {
      const { probeCommand } = await import('./probe.js');
      endWith(await probeCommand(destination, flags));
    });
}

function addGenerate(root: Command): void {
  root
    .command('generate')
    .description('write alert rules, dashboards and the Alertmanager example for your own addresses')
    .option(
      '--exporter-url <url>',
      'Where people reach the exporter, or a template such as "http://{{ $labels.instance }}".',
    )
    .option('--grafana-url <url>', 'Where people reach Grafana.')
    .option('--datasource-uid <uid>', "Grafana's uid of the Prometheus data source. (default: prometheus)")
    .option('--output <folder>', 'Folder to write into.', '.')
    .action(async (flags: GenerateFlags) => {
      const { generateCommand } = await import('./generate.js');
      endWith(await generateCommand(flags));
    });
}

function addDemo(root: Command): void {
  root
    .command('demo')
    .description('run simulated mail servers, events and alerts on this machine; Ctrl-C stops it')
    .addOption(demoPort('--demo.port', 'the status page', 10202))
    .addOption(demoPort('--demo.prometheus-port', 'Prometheus', 9090))
    .addOption(demoPort('--demo.alertmanager-port', 'Alertmanager', 9093))
    .option('--demo.duration <seconds>', 'End after this many seconds instead of with Ctrl-C.', positiveNumber)
    .option('--kafka', 'Send the events through a Kafka started on this machine (needs Java and the jars of Kafka).')
    .action(async (flags: DemoFlags) => {
      const { demoCommand } = await import('./demo.js');
      // It has no verdict and no end of its own: without a reader it is over.
      process.stdout.once('error', ({ code }: NodeJS.ErrnoException) => {
        if (code === 'EPIPE') endProcess(0);
      });
      endWith(await demoCommand(flags));
    });
}

/** Ends with 2 when the first word is no command and no file: `docter` must not start an exporter on every address. */
async function refuseMistyped(root: Command, word: string | undefined): Promise<void> {
  if (word === undefined || !/^[a-z][\w-]*$/i.test(word) || existsSync(word)) return;
  const { closestTo } = await import('../runtime/did-you-mean.js');
  const meant = closestTo(
    word,
    root.commands.map((each) => each.name()),
  );
  const hint = meant === undefined ? '--help lists the commands' : `did you mean ${meant}?`;
  root.error(
    `error: ${word} is neither a command nor a file or folder here: ${hint} (for a file that does not exist yet: ./${word})`,
  );
}

function addVersion(root: Command): void {
  root
    .command('version')
    .description('print the version')
    .action(() => {
      process.stdout.write(`${exporterVersion()}\n`);
    });
}

/** Not for people: the exporter starts it for each live Windows log. */
function addReader(root: Command): void {
  root.command('read-windows-log', { hidden: true }).action(async () => {
    const { readWindowsLogCommand } = await import('./read-windows-log.js');
    endWith(await readWindowsLogCommand());
  });
}
