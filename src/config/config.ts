/** The configuration: a YAML file and flags, checked together, with every mistake told at once. */
import { hostname } from 'node:os';
import { dirname, isAbsolute } from 'node:path';
import type { z } from 'zod';
import { transportLogFolders } from './exchange-folders.js';
import { flagMistakes } from './mistakes.js';
import { configSchema } from './schema.js';
import { defaultStateDirectory } from './state-directory.js';
import { readYamlFile } from './yaml-file.js';

export type { ListenAddress } from './schema.js';

type Given = z.input<typeof configSchema>;
type Checked = z.output<typeof configSchema>;

/** The configuration with every default filled in. All durations are milliseconds. */
export type Config = ReadonlyDeep<
  Omit<Checked, 'state'> & {
    /** Where counts and positions are kept; need not exist yet. */
    state: { directory: string };
  }
>;
export type ProbeConfig = Config['probe'];

/** Settings given on the command line, as the person wrote them. Each replaces what the file says. */
export type Overrides = {
  /** Files, folders and globs to read instead of the sources of the file. */
  readonly files?: readonly string[];
  readonly stateDirectory?: string;
  readonly listenAddresses?: readonly string[];
  readonly telemetryPath?: string;
  readonly externalUrl?: string;
  readonly webConfigFile?: string;
  readonly probe?: boolean;
  readonly probeAllow?: readonly string[];
  readonly probePorts?: readonly string[];
};

/** A configuration, or all that is wrong with it, one line each. */
export type Loaded =
  | { readonly ok: true; readonly config: Config }
  | {
      readonly ok: false;
      readonly mistakes: readonly string[];
      /** True when the file, if there is one, is right and only a flag is wrong. */
      readonly inFlags?: boolean;
    };

type Machine = { readonly platform: NodeJS.Platform; readonly env: NodeJS.ProcessEnv };
type ReadonlyDeep<T> = T extends object ? { readonly [Key in keyof T]: ReadonlyDeep<T[Key]> } : T;

/** Reads the file when one is named, puts the flags over it, checks both. Paths in the file are relative to the file. */
export async function loadConfig(
  given: { readonly file?: string | undefined; readonly overrides?: Overrides },
  machine: Machine = process,
): Promise<Loaded> {
  const fromFile = given.file === undefined ? undefined : await readYamlFile(given.file, configSchema);
  const flags = flagSettings(given.overrides ?? {});
  const flagCheck = configSchema.safeParse(flags);
  const mistakes = [
    ...(fromFile?.ok === false ? fromFile.mistakes : []),
    ...(flagCheck.success ? [] : flagMistakes(flagOf, flags, flagCheck.error.issues)),
  ];
  if (mistakes.length > 0) return { ok: false, mistakes, inFlags: fromFile?.ok !== false };
  const written = fromFile?.ok ? besideFile(fromFile.given, dirname(given.file ?? '')) : {};
  return { ok: true, config: resolve(configSchema.parse(merge(written, flags)), machine) };
}

/** Paths of the file as seen from here. Joined with `/`, which Windows takes too, because globs need it. */
function besideFile(value: Given, folder: string): Given {
  const seen = (path: string): string => (folder === '.' || isAbsolute(path) ? path : `${folder}/${path}`);
  return {
    ...value,
    ...(value.sources && {
      sources: value.sources.map((source) =>
        source.type === 'file' ? { ...source, paths: source.paths.map(seen) } : source,
      ),
    }),
    ...(value.inventory?.file !== undefined && { inventory: { file: seen(value.inventory.file) } }),
    ...(value.probe?.caFile !== undefined && { probe: { ...value.probe, caFile: seen(value.probe.caFile) } }),
    ...(value.web?.configFile !== undefined && { web: { ...value.web, configFile: seen(value.web.configFile) } }),
    ...(value.state?.directory !== undefined && { state: { directory: seen(value.state.directory) } }),
  };
}

const flagNames: Readonly<Record<string, string>> = {
  sources: 'FILES',
  'state.directory': '--state.directory',
  'web.listenAddresses': '--web.listen-address',
  'web.telemetryPath': '--web.telemetry-path',
  'web.externalUrl': '--web.external-url',
  'web.configFile': '--web.config.file',
  'probe.allow': '--probe.allow',
  'probe.ports': '--probe.ports',
};

function flagOf(path: readonly PropertyKey[]): string {
  return flagNames[path.slice(0, 2).join('.')] ?? flagNames[String(path[0])] ?? path.join('.');
}

/** The flags in the shape of the file; a flag that was not given leaves no key. */
function flagSettings(flags: Overrides): Given {
  return withoutUndefined({
    sources: flags.files?.length ? [{ type: 'file' as const, paths: [...flags.files] }] : undefined,
    state: withoutUndefined({ directory: flags.stateDirectory }),
    probe: withoutUndefined({
      enabled: flags.probe === false ? false : undefined,
      allow: flags.probeAllow && [...flags.probeAllow],
      ports: flags.probePorts && [...flags.probePorts],
    }),
    web: withoutUndefined({
      listenAddresses: flags.listenAddresses && [...flags.listenAddresses],
      telemetryPath: flags.telemetryPath,
      externalUrl: flags.externalUrl,
      configFile: flags.webConfigFile,
    }),
  });
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, setting]) => setting !== undefined)) as Defined<T>;
}

function merge(file: Given, flags: Given): Given {
  return {
    ...file,
    ...flags,
    state: { ...file.state, ...flags.state },
    probe: { ...file.probe, ...flags.probe },
    web: { ...file.web, ...flags.web },
  };
}

function resolve(checked: Checked, machine: Machine): Config {
  const { platform, env } = machine;
  return {
    ...checked,
    sources: checked.sources.length === 0 ? sourcesOf(machine) : checked.sources,
    state: { directory: checked.state.directory ?? defaultStateDirectory(platform, env) },
  };
}

/**
 * What is read when nothing is named: on Windows the Application log, on an Exchange server its transport logs too. The
 * folder of a log that is switched off, as the Send protocol log is unless a connector asks for it, is there and empty.
 */
function sourcesOf({ platform, env: { ExchangeInstallPath: installPath = '' } }: Machine): Checked['sources'] {
  const paths = installPath === '' ? [] : transportLogFolders(installPath);
  return [
    ...(platform === 'win32' ? [{ type: 'windows-event-log' as const, channels: ['Application'] }] : []),
    ...(paths.length > 0 ? [{ type: 'file' as const, paths, server: hostname(), mayBeEmpty: true }] : []),
  ];
}
