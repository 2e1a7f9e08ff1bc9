/**
 * Builds the MSI on Linux, with wixl and msibuild of Debian: npm run build:msi [FOLDER]
 *
 * The program makes its service itself, so the MSI only lays files and runs it: one description of the service.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildExe } from './exe.mjs';

const root = path.dirname(import.meta.dirname);

// Types of custom actions (msidefs.h): an installed program, run later as the system.
const runProgram = 18 + 1024 + 2048;
const [goesOn, rollback] = [64, 256];
const upgrading = 'UPGRADINGPRODUCTCODE';
/** As in windows.wxs. */
const upgradeCode = '{7B0D8F6E-5C0B-4B57-9C53-0E3C5A6C2F1D}';
// With a space before each quotation mark: the backslash at the end of a folder would escape the mark.
const flags = [
  '--no-start --config.file="[CONFIG_FILE] " --listen-port="[LISTEN_PORT] " --firewall="[ADD_FIREWALL_RULE] "',
  '--remote-addresses="[REMOTE_ADDRESSES] " --state.directory="[STATE_DIR] " --earlier-config="[EARLIER_CONFIG] "',
].join(' ');

/** What runs when. A start that fails ends nothing: the service is there, and `service status` says why. */
const actions = [
  // Last in a rollback, when the old program is back: an upgrade that fails leaves the old service running.
  { name: 'StartOldService', args: 'service start', type: goesOn + rollback, when: upgrading, at: 1850 },
  {
    name: 'UninstallService',
    args: 'service uninstall',
    type: goesOn,
    when: `REMOVE="ALL" AND NOT ${upgrading}`,
    at: 1950,
  },
  {
    name: 'ForgetService',
    args: 'service uninstall',
    type: goesOn + rollback,
    when: 'NOT Installed AND NOT WIX_UPGRADE_DETECTED',
    at: 4100,
  },
  { name: 'InstallService', args: `service install ${flags}`, type: 0, when: 'NOT REMOVE', at: 4110 },
  { name: 'StartService', args: 'service start', type: goesOn, when: 'NOT REMOVE AND START_SERVICE = "1"', at: 5950 },
];

const said = [
  ['InstallService', 'Making the service SendConnectorExporter'],
  ['StartService', 'Starting the service; service status says why when it does not start'],
  [
    'UninstallService',
    'Removing the service. Configuration, state and log are kept in ProgramData\\send-connector-exporter',
  ],
];

const properties = [
  'CONFIG_FILE',
  'LISTEN_PORT',
  'ADD_FIREWALL_RULE',
  'REMOTE_ADDRESSES',
  'STATE_DIR',
  'START_SERVICE',
];

/** Attributes of a row of Upgrade (msidefs.h): keeps the features; the highest version counts, too. */
const [keepsFeatures, withHighest] = [1, 512];

/**
 * The version as Windows takes it: three numbers. Its releases before 1.2.0, such as 1.2.0-rc.1, are 1.2.0 to Windows, too.
 * @throws when it has larger numbers than Windows compares
 */
function windowsVersion(version) {
  const numbers = /^(\d+)\.(\d+)\.(\d+)(?:[-+]|$)/.exec(version)?.slice(1).map(Number);
  const [major = 256, minor = 256, patch = 65_536] = numbers ?? [];
  if (major > 255 || minor > 255 || patch > 65_535)
    throw new Error(`expected a version that Windows takes, up to 255.255.65535, got ${version}`);
  return numbers.join('.');
}

/** SQL for what wixl cannot say. @param version the highest that is replaced, as Windows takes it */
function patches(version) {
  const text = (value) => `'${value}'`;
  return [
    ...actions.flatMap(({ name, args, type, when, at }) => [
      `INSERT INTO CustomAction (Action, Type, Source, Target) VALUES (${text(name)}, ${runProgram + type}, 'Exe', ${text(args)})`,
      `INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES (${text(name)}, ${text(when)}, ${at})`,
    ]),
    'CREATE TABLE ActionText (Action CHAR(72) NOT NULL, Description CHAR(64) LOCALIZABLE, Template CHAR(128) LOCALIZABLE PRIMARY KEY Action)',
    ...said.map((row) => `INSERT INTO ActionText (Action, Description) VALUES (${row.map(text).join(', ')})`),
    // Its own version is replaced, too: that of an earlier 1.2.0-rc.1, or both would be installed.
    "DELETE FROM Upgrade WHERE ActionProperty = 'WIX_UPGRADE_DETECTED'",
    `INSERT INTO Upgrade (UpgradeCode, VersionMax, Attributes, ActionProperty) VALUES (${[upgradeCode, version].map(text).join(', ')}, ${keepsFeatures + withHighest}, 'WIX_UPGRADE_DETECTED')`,
    // An upgrade keeps the service, with whatever was set of it.
    `UPDATE InstallExecuteSequence SET Condition = 'NOT ${upgrading}' WHERE Action = 'DeleteServices'`,
    // Within the transaction: an upgrade that fails brings the old version back.
    "UPDATE InstallExecuteSequence SET Sequence = 1501 WHERE Action = 'RemoveExistingProducts'",
    `UPDATE Property SET Value = 'WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED;${properties.join(';')}' WHERE Property = 'SecureCustomProperties'`,
    // Windows wants a short name beside each long one.
    "UPDATE File SET FileName = 'SENDCONN.EXE|send-connector-exporter.exe' WHERE File = 'Exe'",
    "UPDATE File SET FileName = 'CONFIG.YML|config.example.yml' WHERE File = 'Example'",
    "UPDATE Directory SET DefaultDir = 'SENDCONN|send-connector-exporter' WHERE Directory = 'INSTALLDIR'",
  ];
}

/** The summary of the MSI, with a fixed time: the same program gives the same bytes. Seconds since 1970 UTC. */
function summary(code, epoch) {
  const time = new Date(1000 * epoch).toISOString().replaceAll('-', '/').replace('T', ' ').slice(0, 19);
  const rows = [
    ['PropertyId', 'Value'],
    ['i2', 'l255'],
    ['_SummaryInformation', 'PropertyId'],
    [1, 1252],
    [2, 'Installation Database'],
    [3, 'Send connector exporter'],
    [4, 'send-connector-exporter'],
    [6, 'Removing it keeps configuration, state and log in ProgramData\\send-connector-exporter.'],
    [7, 'x64;1033'],
    [9, `{${code}}`],
    [12, time],
    [13, time],
    [14, 500],
    [15, 2],
    [19, 2],
  ];
  return rows.map((row) => `${row.join('\t')}\r\n`).join('');
}

/** A code that is the same for the same text, in the form of a UUID. */
function codeOf(text) {
  const hex = createHash('sha256').update(`send-connector-exporter ${text}`).digest('hex').toUpperCase();
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/**
 * Builds the MSI of a program into a folder.
 * @param given the program, where to write, and the version when it is not that of package.json
 * @returns its path
 */
export async function buildMsi({ program, folder, version }) {
  const of = version ?? JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')).version;
  const forWindows = windowsVersion(of);
  const stage = await mkdtemp(path.join(tmpdir(), 'msi-'));
  try {
    const files = [
      [path.join(import.meta.dirname, 'windows.wxs'), 'windows.wxs'],
      [program, 'send-connector-exporter.exe'],
      [path.join(root, 'examples/config.yml'), 'config.example.yml'],
      [path.join(root, 'LICENSE'), 'LICENSE.txt'],
    ];
    const epoch = Number(process.env.SOURCE_DATE_EPOCH ?? 0) || Date.UTC(2000, 0, 1) / 1000;
    for (const [from, name] of files) {
      await copyFile(from, path.join(stage, name));
      await chmod(path.join(stage, name), 0o644);
      await utimes(path.join(stage, name), epoch, epoch);
    }
    const msi = path.join(path.resolve(folder), `send-connector-exporter-${of}-x64.msi`);
    await rm(msi, { force: true });
    // The cabinet holds local times.
    const env = { ...process.env, TZ: 'UTC' };
    const run = (name, ...args) =>
      execFileSync(name, args, { cwd: stage, env, stdio: ['ignore', 'ignore', 'inherit'] });
    run(
      'wixl',
      '-a',
      'x64',
      '-o',
      msi,
      '-D',
      `Version=${forWindows}`,
      '-D',
      `ProductCode=${codeOf(of)}`,
      'windows.wxs',
    );
    for (const sql of patches(forWindows)) run('msibuild', msi, '-q', sql);
    const content = createHash('sha256')
      .update(await readFile(program))
      .digest('hex');
    await writeFile(path.join(stage, 'summary.idt'), summary(codeOf(of + content), epoch));
    run('msibuild', msi, '-i', 'summary.idt');
    return msi;
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = path.resolve(process.argv[2] ?? path.join(root, 'build'));
  console.log(await buildMsi({ program: await buildExe(folder), folder }));
}
