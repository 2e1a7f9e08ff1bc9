/**
 * Builds the Debian package, with dpkg-deb: npm run build:deb [FOLDER]
 *
 * It holds the program as one script and runs on the nodejs of the system, which gets its security updates from there: a copy of
 * Node inside would be as old as the package. So it fits every architecture. Made again from the same commit it has the same bytes.
 */
import { execFileSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile, lutimes, lstat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { bundle } from './bundle.mjs';
import { licences } from './licences.mjs';
import { manualPage } from './manual-page.mjs';
import { sourceDate } from './source-date.mjs';

const root = path.dirname(import.meta.dirname);
const name = 'send-connector-exporter';
const maintainer = `${name} maintainers <${name}@localhost>`;
const compressed = { level: 9 };

/** `1.2.0-rc.1` as Debian orders it: before 1.2.0. The end numbers packages of one version. */
export function debianVersion(version) {
  return `${version.replace('-', '~').replaceAll('-', '.')}-1`;
}

/** What dpkg knows of the package. */
function control(version, kibibytes) {
  return `Package: ${name}
Version: ${version}
Architecture: all
Maintainer: ${maintainer}
Installed-Size: ${kibibytes}
Depends: nodejs (>= 20.19), init-system-helpers (>= 1.54), systemd | systemd-standalone-sysusers | systemd-sysusers
Recommends: iputils-ping, iputils-tracepath | mtr-tiny | traceroute
Suggests: prometheus, prometheus-alertmanager
Section: net
Priority: optional
Description: Prometheus exporter for Send connectors of Microsoft Exchange
 It says which Send connector cannot reach which destination, since when, why,
 and what to do next. It counts event 2002 of MSExchangeTransport in exported
 Windows events and in the transport logs of Exchange, probes each destination
 step by step without sending mail, and shows both in its pages, metrics and
 alerts.
`;
}

function changelog(version, epoch) {
  const date = new Date(1000 * epoch).toUTCString().replace('GMT', '+0000');
  return `${name} (${version}) unstable; urgency=medium

  * What has changed is in changelog.gz beside this file.

 -- ${maintainer}  ${date}
`;
}

/** Files of the package by their places, each with its content or a link, and its mode when that is not 0644. */
async function files(version, epoch) {
  const script = (await bundle()).replace(/^#!.*\n/, '#!/usr/bin/node\n');
  const program = `usr/share/${name}/${name}.cjs`;
  const documents = `usr/share/doc/${name}`;
  const ours = (file) => readFile(path.join(import.meta.dirname, 'debian', file));
  const theirs = (file) => readFile(path.join(root, file));
  const examples = ['config.yml', 'config.schema.json', 'web-config.yml', 'prometheus.yml'];
  return [
    [program, script, 0o755],
    [`usr/bin/${name}`, { to: `../share/${name}/${name}.cjs` }],
    [`usr/lib/systemd/system/${name}.service`, await theirs(`examples/systemd/${name}.service`)],
    [`usr/lib/sysusers.d/${name}.conf`, await theirs(`examples/systemd/${name}.conf`)],
    [`etc/${name}/config.yml`, await ours('config.yml')],
    [`usr/share/man/man1/${name}.1.gz`, gzipSync(await manualPage(script), compressed)],
    [`usr/share/lintian/overrides/${name}`, await ours('lintian-overrides')],
    [`${documents}/copyright`, await licences('/usr/share/common-licenses/Apache-2.0')],
    [`${documents}/changelog.gz`, gzipSync(await theirs('CHANGELOG.md'), compressed)],
    [`${documents}/changelog.Debian.gz`, gzipSync(changelog(version, epoch), compressed)],
    ...(await Promise.all(
      examples.map(async (file) => [`${documents}/examples/${file}`, await theirs(`examples/${file}`)]),
    )),
  ];
}

/** Lays everything below a folder, as it will be installed. @returns the size of it in bytes */
async function layOut(stage, all) {
  let size = 0;
  for (const [place, content, mode = 0o644] of all) {
    const file = path.join(stage, place);
    await mkdir(path.dirname(file), { recursive: true });
    if (content.to !== undefined) await symlink(content.to, file);
    else {
      await writeFile(file, content);
      await chmod(file, mode);
      size += Buffer.byteLength(content);
    }
  }
  await mkdir(path.join(stage, `var/spool/${name}`), { recursive: true });
  return size;
}

async function describe(stage, all, text) {
  const folder = path.join(stage, 'DEBIAN');
  await mkdir(folder);
  const sums = all.filter(([place, { to }]) => to === undefined && !place.startsWith('etc/'));
  const lines = sums.map(([place, content]) => `${createHash('md5').update(content).digest('hex')}  ${place}\n`);
  const said = { control: text, conffiles: `/etc/${name}/config.yml\n`, md5sums: lines.sort().join('') };
  for (const [file, content] of Object.entries(said)) {
    await writeFile(path.join(folder, file), content);
    await chmod(path.join(folder, file), 0o644);
  }
  for (const file of ['postinst', 'prerm', 'postrm']) {
    await cp(path.join(import.meta.dirname, 'debian', file), path.join(folder, file));
    await chmod(path.join(folder, file), 0o755);
  }
}

/** One time for all, and modes that no umask has changed. */
async function settle(place, epoch) {
  const entry = await lstat(place);
  if (entry.isDirectory()) {
    for (const each of await readdir(place)) await settle(path.join(place, each), epoch);
    await chmod(place, 0o755);
  }
  await lutimes(place, epoch, epoch);
}

/**
 * Builds the package into a folder.
 * @param given where to write, and the version when it is not that of package.json
 * @returns its path
 */
export async function buildDeb({ folder, version: given }) {
  const own = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')).version;
  const version = debianVersion(given ?? own);
  const epoch = sourceDate();
  const stage = await mkdtemp(path.join(tmpdir(), 'deb-'));
  try {
    const all = await files(version, epoch);
    const size = await layOut(stage, all);
    await describe(stage, all, control(version, Math.ceil(size / 1024)));
    await settle(stage, epoch);
    await mkdir(folder, { recursive: true });
    const deb = path.join(path.resolve(folder), `${name}_${version}_all.deb`);
    // One thread: how many there are changes the bytes.
    const args = ['--root-owner-group', '-Zxz', '--threads-max=1', '--build', stage, deb];
    const env = { ...process.env, SOURCE_DATE_EPOCH: String(epoch) };
    execFileSync('dpkg-deb', args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
    return deb;
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(await buildDeb({ folder: path.resolve(process.argv[2] ?? path.join(root, 'build')) }));
}
