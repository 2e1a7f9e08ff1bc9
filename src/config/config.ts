/** The configuration: a YAML file and flags, validated together, with every error reported at once. */
import { hostname } from 'node:os';
import { dirname, isAbsolute } from 'node:path';
import type * as z from 'zod';
import { besideFile as sourceBesideFile } from '../events/sources/sources.js';
import { transportLogFolders } from './exchange-folders.js';
import { configSchema } from './schema.js';
import { defaultStateDirectory } from './state-directory.js';
import type { CheckedFile } from './yaml-file.js';
import { pathText } from './path-text.js';

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

/** Path of a setting: `web.telemetryPath`, or the name of a section that is a list: `sources`. */
export type SettingPath = {
  [Section in keyof Given]-?: NonNullable<Given[Section]> extends readonly unknown[]
    ? Section
    : `${Section}.${keyof NonNullable<Given[Section]> & string}`;
}[keyof Given];

/** Settings given on the command line, as the person wrote them. Each replaces what the file says. */
export type Overrides = readonly {
  /** What the person typed, for messages: `--web.telemetry-path`. */
  readonly flag: string;
  readonly setting: SettingPath;
  /** As the file would have it; not checked yet. */
  readonly value: unknown;
}[];

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
  const fromFile = given.file === undefined ? undefined : await readFrom(given.file);
  const overrides = given.overrides ?? [];
  const flags = withOverrides({}, overrides);
  const flagCheck = configSchema.safeParse(flags);
  const mistakes = [
    ...(fromFile?.ok === false ? fromFile.mistakes : []),
    ...(flagCheck.success ? [] : await mistakesIn(overrides, flags, flagCheck.error.issues)),
  ];
  if (mistakes.length > 0) return { ok: false, mistakes, inFlags: fromFile?.ok !== false };
  const written = fromFile?.ok ? besideFile(fromFile.given, dirname(given.file ?? '')) : {};
  const whole = withOverrides(written, overrides);
  const check = configSchema.safeParse(whole);
  if (check.success) return { ok: true, config: resolve(check.data, machine) };
  return {
    ok: false,
    mistakes: await mistakesTogether(given.file, overrides, whole, check.error.issues),
    inFlags: true,
  };
}

/** Many a start has no file: YAML is loaded when there is one, and the words for mistakes when there are any. */
async function readFrom(file: string): Promise<CheckedFile<typeof configSchema>> {
  const { readYamlFile } = await import('./yaml-file.js');
  return readYamlFile(file, configSchema);
}

async function mistakesIn(
  overrides: Overrides,
  flags: unknown,
  issues: readonly z.core.$ZodIssue[],
): Promise<string[]> {
  const { flagMistakes } = await import('./mistakes.js');
  return flagMistakes((path) => flagOf(overrides, path), flags, issues);
}

/** File and flags are right each by itself, but not together. */
async function mistakesTogether(
  file: string | undefined,
  overrides: Overrides,
  whole: unknown,
  issues: readonly z.core.$ZodIssue[],
): Promise<string[]> {
  const { flagMistakes } = await import('./mistakes.js');
  const placeOf = (path: readonly PropertyKey[]): string => {
    const flag = flagOf(overrides, path);
    return flag === path.join('.') && file !== undefined ? `${file}: ${pathText(path)}` : flag;
  };
  const flagged = overrides.find(({ setting }) => setting === 'web.listenAddresses')?.flag;
  return flagMistakes(placeOf, whole, issues).map((text) =>
    flagged === undefined ? text : text.replace(/ of web\.listenAddresses\[\d+\] \(/, ` of ${flagged} (`),
  );
}

/** Paths of the file as seen from here. Joined with `/`, which Windows takes too, because globs need it. */
function besideFile(value: Given, folder: string): Given {
  const seen = (path: string): string => (folder === '.' || isAbsolute(path) ? path : `${folder}/${path}`);
  return {
    ...value,
    ...(value.sources && { sources: value.sources.map((source) => sourceBesideFile(source, seen)) }),
    ...(value.inventory?.file !== undefined && { inventory: { file: seen(value.inventory.file) } }),
    ...(value.probe?.caFile !== undefined && { probe: { ...value.probe, caFile: seen(value.probe.caFile) } }),
    ...(value.web?.configFile !== undefined && { web: { ...value.web, configFile: seen(value.web.configFile) } }),
    ...(value.state?.directory !== undefined && { state: { directory: seen(value.state.directory) } }),
  };
}

function flagOf(overrides: Overrides, path: readonly PropertyKey[]): string {
  const place = `${path.join('.')}.`;
  return overrides.find(({ setting }) => place.startsWith(`${setting}.`))?.flag ?? path.join('.');
}

function withOverrides(written: Given, overrides: Overrides): unknown {
  const whole: Record<string, unknown> = { ...written };
  for (const { setting, value } of overrides) {
    const [section = '', key] = setting.split('.');
    whole[section] = key === undefined ? value : { ...(whole[section] as object | undefined), [key]: value };
  }
  return whole;
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
