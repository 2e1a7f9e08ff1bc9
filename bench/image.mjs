/**
 * The OCI image without a container engine: built twice, unpacked by umoci as an engine would, and run by chroot as its
 * configuration says, with a root file system that is read-only and a volume for the state. Wants root. Ends with 1 when a step fails.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildImage } from '../packaging/image.mjs';
import { openRoot } from './root.mjs';
import { expect, freePort, step, until } from './steps.mjs';

const state = '/var/lib/send-connector-exporter';

export async function run() {
  const folder = mkdtempSync(path.join(tmpdir(), 'image-proof-'));
  try {
    await prove(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function prove(folder) {
  const built = await step('the image is built', () => buildImage({ folder: path.join(folder, 'first') }));
  await step('built again it has the same bytes', async () => {
    const again = await buildImage({ folder: path.join(folder, 'again') });
    expect(readFileSync(again.file).equals(readFileSync(built.file)), `${built.digest} became ${again.digest}`);
  });
  const { layout, config } = await step('its digests hold, and its configuration names no root', () =>
    unpackLayout(folder, built),
  );
  const bundle = path.join(folder, 'bundle');
  await step('umoci unpacks it', () =>
    execFileSync('umoci', ['unpack', '--image', layout, bundle], { stdio: 'ignore' }),
  );
  const machine = await step('nothing in it belongs to its user but the state, and nothing is set-user-id', () =>
    prepare(folder, path.join(bundle, 'rootfs'), config),
  );
  const first = await step('/metrics answers, not as root, and the health check passes', () => start(machine));
  await step('SIGTERM ends it with 0, the state is in the volume, and the health check no longer passes', async () => {
    await stop(first);
    expect(existsSync(path.join(machine.volume, 'ledger.json')), 'no ledger in the volume');
    expect(!isHealthy(machine), 'healthy without an exporter');
  });
  await step('a new container on the same volume goes on with the same counts', async () => {
    const whole = readFileSync(path.join(machine.events, 'exported.ndjson'));
    writeFileSync(path.join(machine.events, 'exported.ndjson'), '');
    const second = await start(machine);
    await stop(second);
    writeFileSync(path.join(machine.events, 'exported.ndjson'), whole);
  });
  await step('as a user of the cluster, with a volume that belongs to root and to a group of that user', async () => {
    await stop(await start(asAnybody(machine)));
  });
  await step(
    'without a volume, and with one of another user, its log names the folder and says what is wrong',
    async () => {
      for (const other of [enter(machine, []), enter(machine, [volumeOf(machine)], '4711:4711')]) {
        const args = ['--web.listen-address=127.0.0.1:0', '--no-probe', '/events'];
        const exporter = other.start(...machine.config.Entrypoint, ...args);
        const words = /cannot be saved|belong to another account/;
        const isSaid = async () => words.test(exporter.log()) && exporter.log().includes(state);
        await until('its log says so', isSaid, 20_000).catch(({ message }) => {
          throw new Error(`${message}; it said:\n${exporter.log()}`);
        });
        await exporter.stop();
      }
    },
  );
}

/** As OpenShift runs it: a user that no file knows, and a volume that it may write to by its group alone. */
function asAnybody(machine) {
  const [anybody, volume] = [1_000_650_000, path.join(machine.folder, 'of-the-group')];
  mkdirSync(volume);
  chownSync(volume, 0, anybody);
  chmodSync(volume, 0o2770);
  const other = { ...machine, uid: anybody, volume };
  return { ...other, inside: enter(other, [volumeOf(other)], `${anybody}:${anybody}`) };
}

const volumeOf = ({ volume }) => `mount --bind "${volume}" "$1${state}"`;

/** The unpacked image as an engine enters it, with a root file system that is read-only. */
function enter({ rootfs, events, config }, mounts, user = config.User) {
  const always = [`mount --bind "${events}" "$1/events"`, 'mount -o remount,bind,ro "$1"'];
  return openRoot(rootfs, { mounts: [...mounts, ...always], user, variables: config.Env });
}

function unpackLayout(folder, { file, digest }) {
  const place = path.join(folder, 'layout');
  mkdirSync(place);
  execFileSync('tar', ['-xf', file, '-C', place]);
  const blobs = path.join(place, 'blobs/sha256');
  for (const name of execFileSync('ls', [blobs], { encoding: 'utf8' }).trim().split('\n')) {
    const [sum] = execFileSync('sha256sum', [path.join(blobs, name)], { encoding: 'utf8' }).split(' ');
    expect(sum === name, `blob ${name} has the sum ${sum}`);
  }
  const blob = (of) => JSON.parse(readFileSync(path.join(blobs, of.replace('sha256:', '')), 'utf8'));
  const [entry] = JSON.parse(readFileSync(path.join(place, 'index.json'), 'utf8')).manifests;
  expect(entry.digest === digest, `expected ${digest}, got ${entry.digest}`);
  const { config } = blob(blob(digest).config.digest);
  const [uid, gid] = config.User.split(':').map(Number);
  expect(uid > 0 && gid > 0, `user ${config.User}`);
  return { layout: `${place}:${entry.annotations['org.opencontainers.image.ref.name']}`, config };
}

function prepare(folder, rootfs, config) {
  const [uid] = config.User.split(':').map(Number);
  const find = (...what) => execFileSync('find', [rootfs, ...what, '-printf', '/%P\n'], { encoding: 'utf8' }).trim();
  expect(find('-uid', String(uid)) === state, `of the user: ${find('-uid', String(uid))}`);
  expect(find('-perm', '/6000') === '', `set-user-id: ${find('-perm', '/6000')}`);
  expect(find('-type', 'd', '-perm', '-0002') === '/tmp', `all may write to ${find('-type', 'd', '-perm', '-0002')}`);
  // As an engine makes them: mount points, and a new volume with the owner and the mode of the folder below it.
  const [volume, events] = [path.join(folder, 'volume'), path.join(folder, 'events')];
  for (const place of [volume, events]) mkdirSync(place);
  const below = statSync(path.join(rootfs, state));
  chownSync(volume, below.uid, below.gid);
  for (const place of ['proc', 'dev', 'events']) mkdirSync(path.join(rootfs, place), { recursive: true });
  const record = {
    '@timestamp': new Date().toISOString(),
    winlog: {
      channel: 'Application',
      provider_name: 'MSExchangeTransport',
      event_id: '2002',
      record_id: 1,
      computer_name: 'exch01',
      event_data: { param1: 'Outbound', param2: '203.0.113.25:25' },
    },
  };
  writeFileSync(path.join(events, 'exported.ndjson'), `${JSON.stringify(record)}\n`);
  const machine = { folder, rootfs, config, volume, events, uid };
  return { ...machine, inside: enter(machine, [volumeOf(machine)]) };
}

async function start(machine) {
  const port = await freePort();
  const args = [`--web.listen-address=127.0.0.1:${port}`, '--no-probe', '/events'];
  const exporter = machine.inside.start(...machine.config.Entrypoint, ...args);
  const url = `http://127.0.0.1:${port}`;
  const counted = async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return /^exchange_send_connector_connection_errors_total\{.*\} 1$/m.test(text);
  };
  await until('/metrics has the one event', counted, 20_000).catch(({ message }) => {
    exporter.stop();
    throw new Error(`${message}; it said:\n${exporter.log()}`);
  });
  const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${exporter.pid}/status`, 'utf8'))[1];
  expect(Number(uid) === machine.uid, `it runs as ${uid}`);
  expect((await fetch(`${url}/-/healthy`)).status === 200, '/-/healthy does not answer 200');
  expect(isHealthy(machine), 'the health check fails');
  return exporter;
}

async function stop(exporter) {
  const code = await exporter.stop();
  expect(code === 0, `it ended with ${code}:\n${exporter.log()}`);
}

function isHealthy(machine) {
  const [kind, ...command] = machine.config.Healthcheck.Test;
  expect(kind === 'CMD', `a health check by ${kind} needs a shell`);
  try {
    machine.inside.run(...command);
    return true;
  } catch {
    return false;
  }
}
