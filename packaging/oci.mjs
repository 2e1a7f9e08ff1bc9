/** Writes a folder as an image: an OCI layout in one tar, which Docker, podman, skopeo and containerd read. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

const types = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
};

/** Modes that no umask has changed. */
export const readable = 'u=rwX,go=rX';

/**
 * A tar of a folder that is the same for the same content: names in order, one time, owners by number.
 * @param given time in seconds since 1970; what of the folder; modes in the form of chmod, unless they stay as they are; a folder
 * in it that another user than root owns, with its number
 */
export function tarOf(folder, { epoch, names = ['.'], mode, owned }) {
  const always = [
    '--format=gnu',
    '--sort=name',
    `--mtime=@${epoch}`,
    '--numeric-owner',
    '--no-xattrs',
    '--no-acls',
    '-b1',
    ...(mode === undefined ? [] : [`--mode=${mode}`]),
  ];
  const pack = (owner, ...rest) =>
    execFileSync('tar', [...always, `--owner=:${owner}`, `--group=:${owner}`, '-c', ...rest], {
      cwd: folder,
      maxBuffer: 1024 ** 3,
    });
  if (owned === undefined) return pack(0, ...names);
  const main = pack(0, `--exclude=./${owned.place}`, ...names);
  // Two blocks of zeros end a tar: a reader would stop there.
  return Buffer.concat([main.subarray(0, -1024), pack(owned.owner, `./${owned.place}`)]);
}

/**
 * @param given the root file system as a tar, the image configuration without what follows from it, the name and tag, the
 * time in seconds since 1970, and where to write
 * @returns the digest of the manifest, by which the image can be pinned
 */
export async function writeImage({ rootfs, config, name, tag, epoch, file }) {
  const stage = await mkdtemp(path.join(tmpdir(), 'oci-'));
  try {
    const blobs = path.join(stage, 'blobs/sha256');
    await mkdir(blobs, { recursive: true });
    const put = async (content, mediaType) => {
      const hex = createHash('sha256').update(content).digest('hex');
      await writeFile(path.join(blobs, hex), content);
      return { mediaType, digest: `sha256:${hex}`, size: content.length };
    };
    const json = (value) => Buffer.from(JSON.stringify(value));
    const layer = await put(gzipSync(rootfs, { level: 9 }), types.layer);
    const diffId = `sha256:${createHash('sha256').update(rootfs).digest('hex')}`;
    const created = new Date(1000 * epoch).toISOString();
    const history = [{ created, created_by: 'npm run build:image' }];
    const whole = { created, ...config, rootfs: { type: 'layers', diff_ids: [diffId] }, history };
    const described = await put(json(whole), types.config);
    const annotations = config.config.Labels;
    const content = { schemaVersion: 2, mediaType: types.manifest, config: described, layers: [layer], annotations };
    const manifest = await put(json(content), types.manifest);
    const names = {
      'org.opencontainers.image.ref.name': tag,
      'io.containerd.image.name': `docker.io/library/${name}:${tag}`,
    };
    await writeFile(path.join(stage, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
    const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations: names }] };
    await writeFile(path.join(stage, 'index.json'), json(index));
    // For `docker load` before Docker 25, which knows only its own form.
    const blob = ({ digest }) => `blobs/sha256/${digest.slice('sha256:'.length)}`;
    const docker = [{ Config: blob(described), RepoTags: [`${name}:${tag}`], Layers: [blob(layer)] }];
    await writeFile(path.join(stage, 'manifest.json'), json(docker));
    const parts = ['blobs', 'index.json', 'manifest.json', 'oci-layout'];
    await writeFile(file, tarOf(stage, { epoch, names: parts, mode: readable }));
    return manifest.digest;
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}
