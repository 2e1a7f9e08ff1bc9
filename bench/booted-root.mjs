/**
 * A root file system that boots with its own systemd, in namespaces of its own: no network but its loopback, no console, the
 * settings of the kernel read-only, and a control group below that of this process.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { until } from './steps.mjs';

const usual = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8', 'DEBIAN_FRONTEND=noninteractive'];

/** Every namespace of its own before systemd becomes process 1; "$1" is the root, "$2" the control group. */
const boot = `
echo $$ >"$2/cgroup.procs"
exec env -i container=proof ${usual[0]} unshare --cgroup --mount --pid --fork --net --uts --ipc --kill-child sh -ec '
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --bind "$1/proc/sys" "$1/proc/sys"
mount -o remount,bind,ro "$1/proc/sys"
mount -t sysfs -o ro sysfs "$1/sys"
mount -t tmpfs tmpfs "$1/run"
mount -t tmpfs tmpfs "$1/tmp"
mount -t cgroup2 none "$1/sys/fs/cgroup"
cd "$1"
pivot_root . oldroot
exec chroot . sh -c "umount -l /oldroot; exec /usr/lib/systemd/systemd --log-target=null --show-status=no"' sh "$1"
`;

/** Where the second version of control groups is, on a machine with both and on one with that alone. */
function controlGroups() {
  const found = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((at) => existsSync(`${at}/cgroup.controllers`));
  if (found === undefined) throw new Error('expected control groups of version 2 under /sys/fs/cgroup');
  return found;
}

/** @returns how to run programs in it, and how to end it @throws when systemd has not come up within a minute */
export async function bootRoot(root) {
  // Not the console of this machine.
  for (const device of ['console', 'tty']) rmSync(path.join(root, 'dev', device), { force: true });
  mkdirSync(path.join(root, 'oldroot'));
  const group = path.join(controlGroups(), `exporter-proof-${process.pid}`);
  mkdirSync(group);
  const machine = spawn('sh', ['-ec', boot, 'sh', root, group], { stdio: 'ignore' });
  const ended = once(machine, 'exit');
  const kill = () => machine.kill('SIGKILL');
  process.once('exit', kill);
  // --mount and not the root of process 1: the one that systemd has pivoted into.
  const inside = (args) => [`--target=${init(machine.pid)}`, '--all', 'env', '-i', ...usual, ...args];
  const run = (...args) => {
    try {
      return execFileSync('nsenter', inside(args), { cwd: '/', encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    } catch (error) {
      throw new Error(`${args.join(' ')} ended with ${error.status}:\n${error.stdout}${error.stderr}`, {
        cause: error,
      });
    }
  };
  const close = async () => {
    machine.kill('SIGKILL');
    await ended;
    process.off('exit', kill);
    await until('its control groups are empty', async () => removeGroups(group), 20_000);
  };
  const isUp = async () => /running|degraded/.test(run('sh', '-c', 'systemctl is-system-running || true'));
  await until('systemd is up', isUp).catch(async (error) => {
    await close();
    throw error;
  });
  return { run, close };
}

/** The first process of the namespace: the only child of `unshare`. */
function init(pid) {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0];
}

/** @throws while a process is in one of them */
function removeGroups(group) {
  const below = readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of below) removeGroups(path.join(group, name));
  rmdirSync(group);
  return true;
}
