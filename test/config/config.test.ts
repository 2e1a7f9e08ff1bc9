import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { format, resolveConfig } from 'prettier';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overridesOf } from '../../src/commands/flags.js';
import { configJsonSchema } from '../../src/config/json-schema.js';
import { loadConfig, type Config, type Overrides } from '../../src/config/config.js';
import { sourceKinds } from '../../src/events/sources/sources.js';

const kinds = sourceKinds.map(({ type }) => `"${type}"`).join(' or ');

const fixtures = 'test/fixtures/config';

/** The file of this name in the fixtures, and what must be said of it (after the path of the file). */
const mistakesOf: Record<string, string[]> = {
  'destinations-without-port': [
    ':3: destinations.static[0]: expected host:port, got "relay.contoso.example"',
    ':4: destinations.static[1]: expected host:port, got "2001:db8::1:25"',
    ':5: destinations.static[2]: expected host:port, got "[2001:db8::1]"',
    ':6: destinations.static[3]: expected host:port, got "relay:0"',
    ':7: destinations.static[4]: expected host:port, got 25',
    ':8: destinations.static[5]: expected host:port, got "smtp://relay:25"',
  ],
  'duplicate-key': [':3:1: not readable as YAML: Map keys must be unique'],
  durations: [
    ':2: probe.interval: expected a duration of a second or more, like 30s, 5m, 12h or 30d, got 30',
    ':3: probe.observedInterval: expected a duration of a second or more, like 30s, 5m, 12h or 30d, got "5 minutes"',
    ':4: probe.timeout: expected a duration of a second or more, like 30s, 5m, 12h or 30d, got "0s"',
    ':6: destinations.forgetAfter: expected a duration of a second or more, like 30s, 5m, 12h or 30d, got "-1d"',
  ],
  'same-listen-address': [
    ':4: sources[1].listenAddress: expected an address apart from that of sources[0].listenAddress (127.0.0.1:4318), got "127.0.0.1:4318"',
    ':6: sources[3].listenAddress: expected an address apart from that of sources[2].listenAddress (:5044), got ":5044"',
  ],
  'five-mistakes': [
    ':4: sources[0].paths: expected a list of files, folders or globs with at least one entry, got an empty list',
    ':6: destinations.static[2]: expected host:port, got "relay:70000"',
    ':8: probe.intervall: expected one of enabled, interval, observedInterval, timeout, concurrency, allow, deny, ports, caFile, ehloName, got the unknown key "intervall" (did you mean interval?)',
    ':9: probe.timeout: expected a duration of a second or more, like 30s, 5m, 12h or 30d, got "fast"',
    ':10: probe.allow[1]: expected an IP address or a network like 10.0.0.0/8, got "everything"',
  ],
  'list-instead-of-mapping': [
    ':1: expected a mapping with the keys sources, inventory, destinations, probe, state, web, got a list',
  ],
  networks: [
    ':2: probe.allow[0]: expected an IP address or a network like 10.0.0.0/8, got "10.0.0.0/33"',
    ':2: probe.allow[1]: expected an IP address or a network like 10.0.0.0/8, got "10.0.0"',
    ':2: probe.allow[2]: expected an IP address or a network like 10.0.0.0/8, got "fe80::1%eth0"',
    ':3: probe.deny: expected a list of networks, got "10.0.0.0/8"',
  ],
  'numbers-and-switches': [
    ':2: destinations.limit: expected a whole number from 1 to 1000000, got 0',
    ':4: probe.concurrency: expected a whole number from 1 to 1000, got "many"',
    ':5: probe.enabled: expected true or false, got "yes"',
  ],
  ports: [
    ':2: probe.ports[0]: expected a port from 1 to 65535 or a range like "2500-2599", got 0',
    ':2: probe.ports[1]: expected a port from 1 to 65535 or a range like "2500-2599", got 65536',
    ':2: probe.ports[2]: expected a port from 1 to 65535 or a range like "2500-2599", got 25.5',
    ':2: probe.ports[3]: expected a port from 1 to 65535 or a range like "2500-2599", got "30-20"',
    ':2: probe.ports[4]: expected a port from 1 to 65535 or a range like "2500-2599", got "smtp"',
    ':2: probe.ports[5]: expected a port from 1 to 65535 or a range like "2500-2599", got nothing',
  ],
  'section-without-content': [
    ':1: probe: expected a mapping with the keys enabled, interval, observedInterval, timeout, concurrency, allow, deny, ports, caFile, ehloName, got nothing',
  ],
  'source-types': [
    `:2: sources[0].type: expected ${kinds}, got "files"`,
    `:4: sources[1].type: expected ${kinds}, got nothing`,
    ':5: sources[2]: expected a mapping with a type, got "a.ndjson"',
    ':6: sources[3].paths: expected a list of files, folders or globs, got nothing',
  ],
  'unclosed-quote': [
    ':4:1: not readable as YAML: Missing closing "quote',
    ':4:1: not readable as YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
  ],
  'unknown-sections': [
    ':1: source: expected one of sources, inventory, destinations, probe, state, web, got the unknown key "source" (did you mean sources?)',
    ':4: probes: expected one of sources, inventory, destinations, probe, state, web, got the unknown key "probes" (did you mean probe?)',
    ':5: zebra: expected one of sources, inventory, destinations, probe, state, web, got the unknown key "zebra"',
  ],
  web: [
    ':2: web.listenAddresses[0]: expected host:port or :port, got 10202',
    ':2: web.listenAddresses[1]: expected host:port or :port, got "localhost"',
    ':2: web.listenAddresses[2]: expected host:port or :port, got "::1:10202"',
    ':2: web.listenAddresses[3]: expected host:port or :port, got ":70000"',
    ':3: web.telemetryPath: expected a path like /metrics, got "metrics"',
    ':4: web.externalUrl: expected an address like https://exporter.contoso.example, got "exporter.contoso.example"',
    ':6: state.directory: expected the path of a file or folder, got ""',
  ],
  'windows-source': [
    ':3: sources[0].channels: expected a list of channels with at least one entry, got an empty list',
    ':5: sources[1].paths: expected one of type, channels, got the unknown key "paths"',
  ],
  'words-instead-of-mapping': [
    ':1: expected a mapping with the keys sources, inventory, destinations, probe, state, web, got "just words"',
  ],
  'wrong-indentation': [':3:1: not readable as YAML: All mapping items must start at the same column'],
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'config-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('a configuration with mistakes', () => {
  it.each(Object.entries(mistakesOf))('tells all mistakes of %s', async (name, expected) => {
    const file = `${fixtures}/${name}.yml`;
    expect(await mistakes({ file })).toEqual(expected.map((line) => `${file}${line}`));
  });

  it('has an entry in the table for every file of the fixtures', () => {
    const names = readdirSync(fixtures).map((name) => name.replace(/\.yml$/, ''));
    expect(Object.keys(mistakesOf).sort()).toEqual(names.sort());
  });

  it('says what to do about a file that is not there, and about a folder', async () => {
    expect(await mistakes({ file: join(folder, 'absent.yml') })).toEqual([
      expect.stringMatching(/absent\.yml: expected a readable YAML file, got ENOENT/),
    ]);
    expect(await mistakes({ file: folder })).toEqual([
      expect.stringContaining('got a folder, where a file is expected'),
    ]);
  });

  it('tells the mistakes of the flags together with those of the file', async () => {
    const flags = {
      'probe.allow': ['10.0.0.0/8', 'all'],
      'probe.ports': ['25', ''],
      'web.listenAddress': ['10202'],
      'web.telemetryPath': '',
      'web.externalUrl': 'ftp://x',
      'state.directory': '',
    };
    const overrides = overridesOf(flags, [' ']);
    expect(await mistakes({ file: `${fixtures}/wrong-indentation.yml`, overrides })).toEqual([
      `${fixtures}/wrong-indentation.yml:3:1: not readable as YAML: All mapping items must start at the same column`,
      'FILES: expected the path of a file or folder, got " "',
      '--probe.allow: expected an IP address or a network like 10.0.0.0/8, got "all"',
      '--probe.ports: expected a port from 1 to 65535 or a range like "2500-2599", got ""',
      '--state.directory: expected the path of a file or folder, got ""',
      '--web.listen-address: expected host:port or :port, got "10202"',
      '--web.telemetry-path: expected a path like /metrics, got ""',
      '--web.external-url: expected an address like https://exporter.contoso.example, got "ftp://x"',
    ]);
  });

  it('refuses aliases that lead nowhere or multiply', async () => {
    const file = join(folder, 'alias.yml');
    await writeFile(file, 'probe: *missing\n');
    expect(await mistakes({ file })).toEqual([
      expect.stringMatching(/^.*alias\.yml: not readable as YAML: Unresolved/),
    ]);
    const bomb = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`).join('\n');
    await writeFile(file, `a0: &a0 [x]\n${bomb}\n`);
    expect(await mistakes({ file })).toEqual([expect.stringMatching(/Excessive alias count/)]);
  });

  it('never throws, whatever the file holds', async () => {
    const file = join(folder, 'any.yml');
    const yamlish = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(
          fc.constantFrom('probe', 'sources', ':', '\n', '  ', '- ', '[', '{', '&a ', '*a', '"', '1', '!!', '? '),
          {
            maxLength: 30,
          },
        )
        .map((parts) => parts.join('')),
      fc.json(),
    );
    await fc.assert(
      fc.asyncProperty(yamlish, async (content) => {
        await writeFile(file, content);
        const loaded = await loadConfig({ file });
        if (loaded.ok) return;
        expect(loaded.mistakes).not.toEqual([]);
        for (const line of loaded.mistakes) expect(line).not.toMatch(/[\n\r]/);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a valid configuration', () => {
  it('has the defaults when there is no file, an empty file or only a comment', async () => {
    const file = join(folder, 'empty.yml');
    const machine = { platform: 'linux', env: { STATE_DIRECTORY: '/state' } } as const;
    const defaults: Config = {
      sources: [],
      inventory: {},
      destinations: { static: [], limit: 2000, forgetAfter: 30 * 86_400_000 },
      probe: {
        enabled: true,
        interval: 30_000,
        observedInterval: 300_000,
        timeout: 45_000,
        concurrency: 128,
        allow: [],
        deny: [],
        ports: ['25', '465', '475', '587', '717', '2525'],
      },
      state: { directory: '/state' },
      web: { listenAddresses: [{ port: 10202 }], telemetryPath: '/metrics' },
    };
    expect(await loadConfig({}, machine)).toEqual({ ok: true, config: defaults });
    for (const content of ['', '# nothing but this\n', '---\n']) {
      await writeFile(file, content);
      expect(await loadConfig({ file }, machine)).toEqual({ ok: true, config: defaults });
    }
  });

  it('reads the example, which shows every setting', async () => {
    const example = await config({ file: 'examples/config.yml' });
    expect(example.sources).toEqual([
      { type: 'file', paths: ['/var/log/winlogbeat/*.ndjson', '/srv/exports'] },
      { type: 'file', paths: ['/srv/transport-logs/EXCH01'], server: 'EXCH01', mayBeEmpty: true },
      { type: 'file', paths: ['/srv/all-events/EXCH01.ndjson'], unfiltered: true },
    ]);
    expect(example.destinations.static).toEqual(['relay.contoso.example:25', '10.20.30.40:587']);
    expect(example.web.externalUrl).toBe('https://exporter.contoso.example');
    const text = await readFile('examples/config.yml', 'utf8');
    for (const key of keysOf(configJsonSchema())) expect(text).toMatch(new RegExp(`^[ #-]*${key}:`, 'm'));
  });

  it('says in the example what the defaults are', async () => {
    const [example, defaults] = [await config({ file: 'examples/config.yml' }), await config({})];
    expect(example.probe).toEqual({ ...example.probe, ...defaults.probe, deny: example.probe.deny });
    expect(example.destinations).toMatchObject({ ...defaults.destinations, static: example.destinations.static });
    expect(example.web).toMatchObject(defaults.web);
  });

  it('puts paths of the file beside the file, and leaves those of flags where the person is', async () => {
    const below = join(folder, 'below');
    await mkdir(below, { recursive: true });
    const file = join(below, 'config.yml');
    await writeFile(
      file,
      'sources: [{type: file, paths: [logs/*.json, /abs]}]\ninventory: {file: c.json}\nprobe: {caFile: ca.pem}\nstate: {directory: s}\n',
    );
    const read = await config({ file });
    expect(read.sources).toEqual([{ type: 'file', paths: [`${below}/logs/*.json`, '/abs'] }]);
    expect(read.inventory.file).toBe(`${below}/c.json`);
    expect(read.state.directory).toBe(`${below}/s`);
    expect(read.probe.caFile).toBe(`${below}/ca.pem`);
    const flagged = await config({ file, overrides: overridesOf({ 'state.directory': 'y' }, ['x.json']) });
    expect(flagged.sources).toEqual([{ type: 'file', paths: ['x.json'] }]);
    expect(flagged.state.directory).toBe('y');
  });

  it('lets every flag win over the file, and keeps what no flag names', async () => {
    const file = 'examples/config.yml';
    const read = await config({
      file,
      overrides: overridesOf({
        'web.listenAddress': ['127.0.0.1:0', '[::1]:0'],
        'web.telemetryPath': '/m',
        'web.externalUrl': 'http://x:1/',
        probe: false,
        'probe.allow': ['127.0.0.0/8', '::1'],
        'probe.ports': ['25-25', '1-65535'],
      }),
    });
    expect(read.web).toEqual({
      listenAddresses: [
        { host: '127.0.0.1', port: 0 },
        { host: '::1', port: 0 },
      ],
      telemetryPath: '/m',
      externalUrl: 'http://x:1',
    });
    expect(read.probe).toMatchObject({
      enabled: false,
      allow: ['127.0.0.0/8', '::1/128'],
      deny: ['10.99.0.0/16'],
      ports: ['25', '1-65535'],
    });
    expect((await config({ file, overrides: overridesOf({ probe: true }) })).probe.enabled).toBe(true);
  });

  it('normalises destinations as labels are', async () => {
    const file = join(folder, 'destinations.yml');
    await writeFile(
      file,
      'destinations: {static: ["RELAY.contoso.example:25", "[2001:DB8:0::1]:25", "10.0.0.1:025"]}\n',
    );
    const read = await config({ file });
    expect(read.destinations.static).toEqual(['relay.contoso.example:25', '[2001:db8::1]:25', '10.0.0.1:25']);
  });
});

describe('the state folder', () => {
  it('is what systemd gives, else one of the user when the machine-wide one may not be written', async () => {
    expect(await stateFolder('linux', { STATE_DIRECTORY: '/a:/b' })).toBe('/a');
    expect(['/var/lib/send-connector-exporter', '/x/send-connector-exporter']).toContain(
      await stateFolder('linux', { XDG_STATE_HOME: '/x' }),
    );
    expect(await stateFolder('win32', { ProgramData: 'D:\\Data' })).toMatch(
      /^D:\\Data[\\/]send-connector-exporter[\\/]state$/,
    );
  });
});

it('reads the Application log on Windows when nothing is named', async () => {
  const loaded = await loadConfig({}, { platform: 'win32', env: {} });
  expect(loaded).toMatchObject({ config: { sources: [{ type: 'windows-event-log', channels: ['Application'] }] } });
});

it.each([
  ['V14', ['Connectivity', 'ProtocolLog/SmtpSend'], ['ProtocolLog/SmtpSend', 'Connectivity']],
  [
    'V15',
    [
      'Hub/Connectivity',
      'Hub/ProtocolLog/SmtpSend',
      'Hub/ProtocolLog/SmtpReceive',
      'FrontEnd/Connectivity',
      'FrontEnd/ProtocolLog/SmtpSend',
      'Mailbox/Connectivity/Submission',
      'Mailbox/Connectivity/Delivery',
      'Mailbox/ProtocolLog/SmtpSend/Delivery',
      'MessageTracking',
    ],
    [
      'Hub/ProtocolLog/SmtpSend',
      'Hub/Connectivity',
      'FrontEnd/ProtocolLog/SmtpSend',
      'FrontEnd/Connectivity',
      'Mailbox/Connectivity/Submission',
      'Mailbox/ProtocolLog/SmtpSend/Delivery',
      'Mailbox/Connectivity/Delivery',
    ],
  ],
])('finds the transport logs of an Exchange server by itself: %s', async (version, there, found) => {
  const installPath = join(folder, version);
  for (const each of there) await mkdir(join(installPath, 'TransportRoles/Logs', each), { recursive: true });
  const loaded = await loadConfig({}, { platform: 'win32', env: { ExchangeInstallPath: `${installPath}/` } });
  const base = `${installPath}/TransportRoles/Logs`;
  expect(loaded).toMatchObject({
    config: {
      sources: [
        { type: 'windows-event-log' },
        { type: 'file', server: hostname(), mayBeEmpty: true, paths: found.map((each) => `${base}/${each}`) },
      ],
    },
  });
});

it('publishes its schema for editors, as it is (after a change: npx vitest run test/config/config.test.ts -u)', async () => {
  const path = 'examples/config.schema.json';
  const options = await resolveConfig(path);
  const text = await format(JSON.stringify(configJsonSchema()), { ...options, filepath: path });
  await expect(text).toMatchFileSnapshot(`../../${path}`);
});

async function config(given: { file?: string; overrides?: Overrides }): Promise<Config> {
  const loaded = await loadConfig(given);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  return loaded.config;
}

async function mistakes(given: { file?: string; overrides?: Overrides }): Promise<readonly string[]> {
  const loaded = await loadConfig(given);
  return loaded.ok ? [] : loaded.mistakes;
}

async function stateFolder(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const loaded = await loadConfig({}, { platform, env });
  return loaded.ok ? loaded.config.state.directory : undefined;
}

/** Names of all settings in a JSON Schema. */
function keysOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const own = 'properties' in schema ? Object.keys(schema.properties as object) : [];
  return [...new Set([...own, ...Object.values(schema).flatMap(keysOf)])];
}
