/**
 * Builds the OCI image without a container engine, on Debian: npm run build:image [FOLDER]
 *
 * In it: the program as one script, Node, and the four packages of Debian whose libraries that Node needs.
 * No shell, no package manager, not root. The same commit gives the same bytes, as long as Debian's packages are the same.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.mjs';
import { licences } from './licences.mjs';
import { tarOf, writeImage } from './oci.mjs';
import { shippedForLinux } from './shipped-node.mjs';
import { sourceDate, sourceRevision } from './source-date.mjs';

const root = path.dirname(import.meta.dirname);
const name = 'send-connector-exporter';
const user = 65532;
const state = `/var/lib/${name}`;
const program = `/usr/share/${name}`;
/** What `ldd` names for node, with the text on which of them it depends. */
const libraries = ['libc6', 'libgcc-s1', 'libstdc++6', 'gcc-12-base'];

/** The image configuration of a version, in the form of OCI; HEALTHCHECK is Docker's, others ask the same by a probe of theirs. */
export function imageConfig(version, revision) {
  const second = 1_000_000_000;
  return {
    architecture: 'amd64',
    os: 'linux',
    config: {
      User: `${user}:${user}`,
      Env: [
        'PATH=/usr/bin',
        'NODE_ENV=production',
        // Each file on a network mount that hangs holds a thread; Node has four by default and reads this from its environment only.
        'UV_THREADPOOL_SIZE=16',
      ],
      Entrypoint: ['/usr/bin/node', `${program}/${name}.cjs`, `--state.directory=${state}`],
      WorkingDir: '/',
      ExposedPorts: { '10202/tcp': {} },
      Volumes: { [state]: {} },
      StopSignal: 'SIGTERM',
      Healthcheck: {
        Test: ['CMD', '/usr/bin/node', `${program}/healthy.mjs`],
        Interval: 30 * second,
        Timeout: 5 * second,
        StartPeriod: 60 * second,
        Retries: 3,
      },
      Labels: {
        'org.opencontainers.image.title': name,
        'org.opencontainers.image.description': 'Prometheus exporter for Send connectors of Microsoft Exchange',
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.licenses': 'Apache-2.0',
        ...(revision !== undefined && { 'org.opencontainers.image.revision': revision }),
      },
    },
  };
}

/** Unpacks Debian's packages. @returns their names and versions, in order */
async function addLibraries(rootfs, work) {
  const run = (command, ...args) =>
    execFileSync(command, args, { cwd: work, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    // As the one who builds: the account that apt would use may not write here.
    run('apt-get', 'download', '--quiet', '--option=APT::Sandbox::User=root', ...libraries);
  } catch (error) {
    throw new Error('expected to get packages of Debian: apt-get update, then again', { cause: error });
  }
  // Where scanners for known faults look in images without a package manager.
  const known = path.join(rootfs, 'var/lib/dpkg/status.d');
  await mkdir(known, { recursive: true });
  const found = [];
  for (const deb of (await readdir(work)).filter((file) => file.endsWith('.deb')).sort()) {
    // Tables of character sets: Node has its own.
    const left = ['./usr/share/man', './usr/share/lintian', './usr/lib/x86_64-linux-gnu/gconv'];
    run('sh', '-c', 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink --no-same-owner $3', 'sh',
      deb, rootfs, left.map((place) => `--exclude=${place}`).join(' ')); // prettier-ignore
    const [library, version] = run('dpkg-deb', '-W', deb).trim().split('\t');
    await writeFile(path.join(known, library), run('dpkg-deb', '-f', deb));
    found.push({ name: library, version });
  }
  return found;
}

/** @throws when node wants a library that none of the packages brings, as newer ones want libatomic.so.1 */
function checkLibraries(rootfs) {
  const node = path.join(rootfs, 'usr/bin/node');
  const wanted = execFileSync('ldd', [node], { encoding: 'utf8' }).matchAll(
    /^\s*(?:\/lib64\/)?(?!linux-vdso)(\S+\.so\S*)/gm,
  );
  const places = ['usr/lib/x86_64-linux-gnu', 'usr/lib64'].map((place) => path.join(rootfs, place));
  const missing = [...wanted]
    .map(([, file]) => file)
    .filter((file) => !places.some((at) => existsSync(path.join(at, file))));
  if (missing.length > 0)
    throw new Error(`node wants ${missing.join(', ')}, which is in none of ${libraries.join(', ')}`);
}

/** The account, how names are looked up, and on which Debian it stands. */
async function addSettings(rootfs) {
  const texts = {
    'etc/passwd': `root:x:0:0:root:/:/sbin/nologin\nexporter:x:${user}:${user}:exporter:${state}:/sbin/nologin\n`,
    'etc/group': `root:x:0:\nexporter:x:${user}:\n`,
    'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
    'etc/os-release': await readFile('/etc/os-release', 'utf8'),
  };
  for (const [place, text] of Object.entries(texts)) await writeFile(path.join(rootfs, place), text);
}

async function addProgram(rootfs) {
  const place = (file) => path.join(rootfs, file);
  const node = await shippedForLinux('bin/node');
  await copyFile(node, place('usr/bin/node'));
  const folder = place(program);
  await mkdir(folder, { recursive: true });
  const script = (await bundle()).replace(/^#!.*\n/, '#!/usr/bin/node\n');
  await writeFile(path.join(folder, `${name}.cjs`), script);
  await copyFile(path.join(import.meta.dirname, 'image/healthy.mjs'), path.join(folder, 'healthy.mjs'));
  await symlink(path.join('..', 'share', name, `${name}.cjs`), place(`usr/bin/${name}`));
  const documents = place(`usr/share/doc/${name}`);
  await mkdir(documents, { recursive: true });
  await writeFile(path.join(documents, 'copyright'), await licences());
  const ofNode = await shippedForLinux('LICENSE');
  await mkdir(place('usr/share/doc/nodejs'), { recursive: true });
  await copyFile(ofNode, place('usr/share/doc/nodejs/copyright'));
  for (const file of [place('usr/bin/node'), path.join(folder, `${name}.cjs`)]) await chmod(file, 0o755);
}

/** Lays out the root file system. @returns the packages of Debian in it */
async function layOut(rootfs, work) {
  for (const folder of ['usr/bin', 'usr/lib', 'usr/lib64', 'etc', 'tmp', state, `etc/${name}`])
    await mkdir(path.join(rootfs, folder), { recursive: true });
  for (const folder of ['bin', 'lib', 'lib64']) await symlink(`usr/${folder}`, path.join(rootfs, folder));
  const found = await addLibraries(rootfs, work);
  await addSettings(rootfs);
  await addProgram(rootfs);
  checkLibraries(rootfs);
  return found;
}

/** Modes as Debian lays files out, whatever the umask is. */
async function settle(rootfs) {
  execFileSync('chmod', ['-R', 'u=rwX,go=rX', rootfs]);
  await chmod(path.join(rootfs, 'tmp'), 0o1777);
  await chmod(path.join(rootfs, state), 0o700);
}

/** Builds the image into a folder. @returns its path, its digest, and the packages of Debian in it */
export async function buildImage({ folder }) {
  if (process.arch !== 'x64' || process.platform !== 'linux')
    throw new Error('expected Linux on x64: the image is for it');
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const work = await mkdtemp(path.join(tmpdir(), 'image-'));
  try {
    const rootfs = path.join(work, 'rootfs');
    await mkdir(rootfs);
    const packages = await layOut(rootfs, work);
    await settle(rootfs);
    const epoch = sourceDate();
    const file = path.join(path.resolve(folder), `${name}-${version}-linux-amd64.oci.tar`);
    await mkdir(path.dirname(file), { recursive: true });
    const tar = tarOf(rootfs, { epoch, owned: { place: state.slice(1), owner: user } });
    const config = imageConfig(version, sourceRevision());
    const digest = await writeImage({ rootfs: tar, config, name, tag: version, epoch, file });
    return { file, digest, packages };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { file, digest } = await buildImage({ folder: process.argv[2] ?? path.join(root, 'build') });
  console.log(`${file}\n${digest}`);
}
