/** Files of npm packages that no user of the program needs: fetched through npm once, and kept outside of the repository. */
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Fetched packages are kept here, outside the repository. */
const cacheFolder = process.env.EXPORTER_BUILD_CACHE ?? path.join(tmpdir(), 'send-connector-exporter-build');

/** A file of an npm package, fetched through npm unless it is kept from before. */
export async function fileOfPackage(name, version, file) {
  const folder = path.join(cacheFolder, `${name.replace(/^@/, '').replace('/', '-')}-${version}`);
  const wanted = path.join(folder, 'package', file);
  const exists = await readFile(wanted).then(
    () => true,
    () => false,
  );
  if (exists) return wanted;
  // Unpacked aside and renamed, so that two at a time, or an end in between, leave nothing half done.
  const aside = `${folder}.${process.pid}`;
  await mkdir(aside, { recursive: true });
  const [packed] = fetched(name, version, aside);
  execFileSync('tar', ['-xzf', path.basename(packed.filename)], { cwd: aside });
  await rename(aside, folder).catch(() => rm(aside, { recursive: true, force: true }));
  return wanted;
}

function fetched(name, version, folder) {
  const pack = ['pack', '--silent', '--json', `${name}@${version}`];
  try {
    return JSON.parse(execFileSync('npm', pack, { cwd: folder, encoding: 'utf8' }));
  } catch (cause) {
    const hint = `npm view ${name} versions lists what there is`;
    throw new Error(`npm has no ${name}@${version}, or cannot be reached: ${hint}`, { cause });
  }
}
