/** A root file system of its own on this machine, entered in a mount namespace, so that nothing stays mounted whatever ends. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

const usual = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8', 'DEBIAN_FRONTEND=noninteractive'];

/**
 * @param given further lines of sh before it is entered, with the root as "$1"; whom programs in it run as (`uid:gid`, default
 * root), and with what environment
 * @returns how to run programs in it
 */
export function openRoot(root, { mounts = [], user = '0:0', variables = usual } = {}) {
  const enter = 'root=$1; user=$2; shift 2; exec /usr/sbin/chroot --userspec="$user" "$root" "$@"';
  const script = ['mount --bind "$1" "$1"', 'mount -t proc proc "$1/proc"', ...mounts, enter].join('\n');
  const inside = (args) => ['--mount', 'sh', '-ec', script, 'sh', root, user, ...args];
  const env = Object.fromEntries(variables.map((each) => each.split('=')));
  return {
    /** @returns what it wrote @throws with all of it when it does not end with 0 */
    run(...args) {
      try {
        return execFileSync('unshare', inside(args), { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
      } catch (error) {
        throw new Error(`${args.join(' ')} ended with ${error.status}:\n${error.stdout}${error.stderr}`, {
          cause: error,
        });
      }
    },
    /** Starts a program that goes on. */
    start(...args) {
      const child = spawn('unshare', inside(args), { env, stdio: ['ignore', 'ignore', 'pipe'] });
      const kill = () => child.kill('SIGKILL');
      process.once('exit', kill);
      let log = '';
      child.stderr.setEncoding('utf8').on('data', (text) => (log += text));
      const ended = once(child, 'close').then(([code]) => {
        process.off('exit', kill);
        return code;
      });
      return {
        pid: child.pid,
        log: () => log,
        ended,
        /** SIGTERM. @returns the exit code */
        stop: () => {
          child.kill('SIGTERM');
          return ended;
        },
      };
    },
  };
}
