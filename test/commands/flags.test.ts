/** Flags: what one command takes another takes too, they reach the same settings, and documents name no other. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { globSync } from 'tinyglobby';
import { expect, test } from 'vitest';
import { flagsOf, overridesOf } from '../../src/commands/flags.js';
import { program } from '../../src/commands/program.js';
import { configJsonSchema } from '../../src/config/json-schema.js';
import { builtProgram, loopbackOnly } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';

const root = path.resolve(import.meta.dirname, '../..');
const namesOf = (verb: Parameters<typeof flagsOf>[0]): string[] => flagsOf(verb).map(({ long }) => long ?? '');

/** For each flag of `serve` that is a setting: a value that no setting takes; `--no-probe` has none. */
const wrong = [
  '--state.directory=',
  '--web.listen-address=nowhere',
  '--web.telemetry-path=metrics',
  '--web.external-url=ftp://exporter',
  '--web.config.file=',
  '--probe.allow=everything',
  '--probe.ports=25,70000',
];

async function run(...args: string[]) {
  const cwd = await temporaryFolder();
  return spawnSync(process.execPath, [...loopbackOnly, builtProgram, ...args], { cwd, encoding: 'utf8' });
}

test('17.3: every flag of serve is one of doctor', () => {
  expect(namesOf('doctor')).toEqual(expect.arrayContaining(namesOf('serve')));
  expect(namesOf('doctor')).toEqual([...namesOf('serve'), '--json']);
});

test('17.3: and reaches the same setting: what is wrong is said in the same words', async () => {
  const settings = overridesOf(Object.fromEntries(flagsOf('serve').map((flag) => [flag.attributeName(), false])));
  expect(settings.map(({ flag }) => flag).sort()).toEqual(
    [...wrong.map((text) => text.split('=')[0]), '--no-probe'].sort(),
  );
  const served = await run('serve', ...wrong, ' ');
  const examined = await run('doctor', '--json', ...wrong, ' ');
  const mistakes = served.stderr.trimEnd().split('\n');
  expect(mistakes).toHaveLength(wrong.length + 1);
  expect(mistakes).toContain('--probe.ports: expected a port from 1 to 65535 or a range like "2500-2599", got "70000"');
  expect(JSON.parse(examined.stdout)).toEqual(
    mistakes.map((text) => ({ check: 'configuration', state: 'failed', text })),
  );
});

test('17.3: what doctor visits is what the flags allow', async () => {
  const cwd = await temporaryFolder();
  const config = path.join(cwd, 'config.yml');
  await writeFile(config, 'destinations: { static: ["127.0.0.1:1"] }\nstate: { directory: state }\n');
  const textOf = async (...flags: string[]) => (await run('doctor', `--config.file=${config}`, ...flags)).stdout;
  expect(await textOf('--probe.ports=1', '--probe.allow=127.0.0.0/8')).toContain('127.0.0.1:1: tcp failed: refused');
  expect(await textOf('--probe.ports=1', '--probe.allow=127.9.0.0/16')).toContain('blocked_by_policy');
  expect(await textOf('--no-probe', '--probe.ports=1')).toContain('probing is off');
}, 60_000);

test('17.3: each flag that replaces a setting names one of the configuration', () => {
  const schema = configJsonSchema() as { properties: Record<string, { properties?: Record<string, unknown> }> };
  const known = Object.entries(schema.properties).flatMap(([section, { properties }]) =>
    properties ? Object.keys(properties).map((key) => `${section}.${key}`) : [section],
  );
  const every = (['serve', 'doctor', 'probe', 'drill', 'seed'] as const).flatMap((verb) => flagsOf(verb));
  const given = overridesOf(Object.fromEntries(every.map((flag) => [flag.attributeName(), false])), ['x']);
  expect(given.length).toBe(wrong.length + 2);
  expect(known).toEqual(expect.arrayContaining(given.map(({ setting }) => setting)));
});

test.each(['serve', 'doctor', 'probe', 'drill', 'seed'] as const)(
  '17.3: the help of %s lists its flags, each once',
  (verb) => {
    const command = program().commands.find((each) => each.name() === verb)!;
    const listed = [...command.helpInformation().matchAll(/^ {2}(--[\w.-]+)/gm)].map(([, name]) => name);
    expect(listed).toEqual(namesOf(verb));
  },
);

/** Flags of Prometheus that look like ours. */
const ofPrometheus = ['--web.enable-remote-write-receiver'];

test('17.3: documents and examples name no flag of ours that the help does not know', () => {
  const known = new Set((['serve', 'doctor', 'probe', 'drill', 'seed'] as const).flatMap(namesOf));
  const files = globSync(['*.md', 'docs/**/*.md', 'alerts/runbooks/*.md', 'examples/**/*'], { cwd: root });
  const named = files
    .filter((file) => file !== 'CHANGELOG.md')
    .flatMap((file) =>
      [
        ...readFileSync(path.join(root, file), 'utf8').matchAll(
          /--(?:no-probe|(?:config|state|web|probe|log)\.[a-z][\w.-]*\w)/g,
        ),
      ].map(([flag]) => ({ file, flag })),
    );
  expect(named.filter(({ flag }) => !known.has(flag) && !ofPrometheus.includes(flag))).toEqual([]);
  expect(new Set(named.map(({ flag }) => flag)).size).toBeGreaterThan(5);
});
