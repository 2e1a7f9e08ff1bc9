/** Every flag of `serve`, `doctor`, `probe`, `drill` and `seed`: one row each, and the setting that it replaces. */
import { Option } from 'commander';
import type { Overrides, SettingPath } from '../config/config.js';
import { quitAfterSteps } from '../model/words.js';
import { collect, levels, listOf, secondsOrNone, wholeNumber } from './flag-values.js';

/** The commands that share the table; `check` takes its file as an argument, and has no flags. */
export type Verb = 'serve' | 'doctor' | 'probe' | 'drill' | 'seed' | 'service';

type Row = {
  /** As it is typed. */
  readonly flag: `--${string}`;
  /** The name of its value in the help; absent: it has none. */
  readonly argument?: string;
  readonly help: string;
  /** Path in the configuration of what it replaces; absent: it is no setting. */
  readonly setting?: SettingPath;
  /** From what is typed to its value, which is checked as that of the configuration file is; default: the text itself. */
  readonly read?: (text: string, earlier: unknown) => unknown;
  readonly choices?: readonly string[];
  /** What it is when it is not given. */
  readonly usual?: string | number;
  readonly isRequired?: true;
  readonly of: readonly Verb[];
};

const table: readonly Row[] = [
  {
    flag: '--connector',
    argument: 'name',
    help: 'Send connector to name (required), prefixed with "DRILL: ".',
    isRequired: true,
    of: ['drill'],
  },
  {
    flag: '--destination',
    argument: 'host:port',
    help: 'Destination to name (required); a drill does not connect to it.',
    isRequired: true,
    of: ['drill'],
  },
  { flag: '--server', argument: 'name', help: 'Server to name; default: this host.', of: ['drill'] },
  {
    flag: '--count',
    argument: 'errors',
    help: 'Errors to write; three trigger the alert about repeated errors.',
    read: wholeNumber,
    usual: 1,
    of: ['drill'],
  },
  {
    flag: '--config.file',
    argument: 'path',
    help: 'Configuration in YAML. Every setting has a default.',
    of: ['serve', 'doctor', 'probe', 'drill', 'seed', 'service'],
  },
  {
    flag: '--from',
    argument: 'path',
    help: 'State folder of the other exporter, which may keep running, or a copy of it (required).',
    isRequired: true,
    of: ['seed'],
  },
  {
    flag: '--replace',
    help: 'Replace a state that has counts; the old one is moved aside.',
    of: ['seed'],
  },
  {
    flag: '--state.directory',
    argument: 'path',
    help: 'Folder for counts and positions; default: a system folder, or one in your home.',
    setting: 'state.directory',
    of: ['serve', 'doctor', 'drill', 'seed'],
  },
  {
    flag: '--web.listen-address',
    argument: 'address',
    help: 'Where to listen, repeatable. (default: ":10202")',
    setting: 'web.listenAddresses',
    read: collect,
    of: ['serve', 'doctor'],
  },
  {
    flag: '--web.telemetry-path',
    argument: 'path',
    help: 'Path of the metrics. (default: "/metrics")',
    setting: 'web.telemetryPath',
    of: ['serve', 'doctor'],
  },
  {
    flag: '--web.external-url',
    argument: 'url',
    help: 'Address under which people reach this exporter, for links.',
    setting: 'web.externalUrl',
    of: ['serve', 'doctor'],
  },
  {
    flag: '--web.config.file',
    argument: 'path',
    help: 'TLS, client certificates, users and headers, in the format of exporter-toolkit.',
    setting: 'web.configFile',
    of: ['serve', 'doctor'],
  },
  {
    flag: '--no-probe',
    help: 'Connect to nothing; only read events.',
    setting: 'probe.enabled',
    of: ['serve', 'doctor'],
  },
  {
    flag: '--probe.allow',
    argument: 'network',
    help: 'Probe only this network or address, repeatable.',
    setting: 'probe.allow',
    read: collect,
    of: ['serve', 'doctor', 'probe'],
  },
  {
    flag: '--probe.ports',
    argument: 'ports',
    help: 'Ports that may be probed, like 25,587,2500-2599.',
    setting: 'probe.ports',
    read: listOf,
    of: ['serve', 'doctor', 'probe'],
  },
  {
    flag: '--log.level',
    argument: 'level',
    help: 'Lowest level to log.',
    choices: levels(),
    usual: 'info',
    of: ['serve', 'doctor', 'service'],
  },
  {
    flag: '--log.format',
    argument: 'format',
    help: 'Format of the log.',
    choices: ['logfmt', 'json'],
    usual: 'logfmt',
    of: ['serve', 'doctor', 'service'],
  },
  {
    flag: '--quit-after',
    argument: 'step',
    help: 'End the visit after this step.',
    choices: quitAfterSteps,
    of: ['probe'],
  },
  { flag: '--no-path', help: 'Do not trace the path.', of: ['probe'] },
  { flag: '--json', help: 'Print one JSON document at the end instead.', of: ['doctor', 'probe'] },
  {
    flag: '--prometheus-url',
    argument: 'url',
    help: 'URL of Prometheus: follow the drill to its pending or firing alert.',
    of: ['drill'],
  },
  {
    flag: '--alertmanager-url',
    argument: 'url',
    help: 'URL of Alertmanager: follow the drill to its receivers.',
    of: ['drill'],
  },
  {
    flag: '--wait',
    argument: 'seconds',
    help: 'Follow the drill for at most this long; 0 only writes it.',
    read: secondsOrNone,
    usual: 120,
    of: ['drill'],
  },
];

/** The flags of a command, in the order of its help. */
export function flagsOf(verb: Verb): Option[] {
  return table.filter(({ of }) => of.includes(verb)).map(optionOf);
}

function optionOf({ flag, argument, help, read, choices, usual, isRequired }: Row): Option {
  const option = new Option(argument === undefined ? flag : `${flag} <${argument}>`, help);
  if (read) option.argParser(read);
  if (choices) option.choices(choices);
  if (usual !== undefined) option.default(usual);
  return option.makeOptionMandatory(isRequired === true);
}

/**
 * The settings that a command line gives.
 * @param flags as commander hands them to a command; what is no setting is left out
 * @param files its arguments, which stand for the sources
 */
export function overridesOf(flags: Readonly<Record<string, unknown>>, files: readonly string[] = []): Overrides {
  const given = table.flatMap((row) => {
    const { flag, setting } = row;
    if (setting === undefined) return [];
    const option = optionOf(row);
    const value = flags[option.attributeName()];
    // Without `--no-probe` commander says true, which is no word of the person.
    return value === undefined || (option.negate && value === true) ? [] : [{ flag, setting, value }];
  });
  const sources = [{ type: 'file', paths: files }];
  return files.length === 0 ? given : [{ flag: 'FILES', setting: 'sources', value: sources }, ...given];
}
