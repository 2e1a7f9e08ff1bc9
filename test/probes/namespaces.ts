/** Three hosts in network namespaces of the test's own: a prober, a router, and a host with mail servers behind it. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';

export type Hosts = {
  /** Runs a program on the prober's host to its end. */
  readonly run: (
    program: string,
    words: readonly string[],
  ) => Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
  /** What nft counted of packets that the prober's host sent to addresses that policy forbids. */
  readonly leaked: () => string;
  readonly close: () => Promise<void>;
};

const stem = `sce${process.pid}`;
const [near, router, far] = [`${stem}n`, `${stem}r`, `${stem}f`];

/** Can this machine make namespaces at all? Says it loudly when it cannot. */
export function canMakeNamespaces(): boolean {
  const made = spawnSync('ip', ['netns', 'add', `${stem}t`], { encoding: 'utf8' });
  if (made.status === 0) {
    ip('netns', 'del', `${stem}t`);
    return true;
  }
  console.warn(`SKIPPED: no network namespaces on this machine: ${made.error?.message ?? made.stderr.trim()}`);
  return false;
}

function ip(...words: readonly string[]): void {
  must('ip', words);
}

function inside(namespace: string, program: string, ...words: readonly string[]): void {
  must('ip', ['netns', 'exec', namespace, program, ...words]);
}

function must(program: string, words: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(program, words, { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

/** 10.77.1.2 (prober) - 10.77.1.1 (router) 10.77.2.1 - 10.77.2.2 and more (mail servers). */
export async function makeHosts(): Promise<Hosts> {
  const children: ChildProcess[] = [];
  const remove = (): void => {
    for (const namespace of [near, router, far]) spawnSync('ip', ['netns', 'del', namespace]);
  };
  try {
    connectHosts();
    children.push(await startServers());
  } catch (error) {
    remove();
    throw error;
  }
  return {
    async run(program, words) {
      const child = spawn('ip', ['netns', 'exec', near, program, ...words]);
      const texts = { stdout: '', stderr: '' };
      child.stdout.on('data', (chunk) => (texts.stdout += String(chunk)));
      child.stderr.on('data', (chunk) => (texts.stderr += String(chunk)));
      const [code] = (await once(child, 'close')) as [number | null];
      return { code, ...texts };
    },
    leaked: () => must('ip', ['netns', 'exec', near, 'nft', 'list', 'counter', 'inet', 'watch', 'leaked']),
    async close() {
      await Promise.all(
        children.map(async (child) => {
          const closed = once(child, 'close');
          child.kill('SIGKILL');
          await closed;
        }),
      );
      remove();
    },
  };
}

function connectHosts(): void {
  for (const namespace of [near, router, far]) {
    ip('netns', 'add', namespace);
    inside(namespace, 'ip', 'link', 'set', 'lo', 'up');
  }
  ip('link', 'add', `${stem}a`, 'netns', near, 'type', 'veth', 'peer', 'name', `${stem}b`, 'netns', router);
  ip('link', 'add', `${stem}c`, 'netns', router, 'type', 'veth', 'peer', 'name', `${stem}d`, 'netns', far);
  const addresses: readonly (readonly [string, string, readonly string[]])[] = [
    [near, `${stem}a`, ['10.77.1.2']],
    [router, `${stem}b`, ['10.77.1.1']],
    [router, `${stem}c`, ['10.77.2.1']],
    [far, `${stem}d`, ['10.77.2.2', '10.77.2.3', '10.77.2.4', '10.77.2.5']],
  ];
  for (const [namespace, link, own] of addresses) {
    for (const address of own) inside(namespace, 'ip', 'address', 'add', `${address}/24`, 'dev', link);
    inside(namespace, 'ip', 'link', 'set', link, 'up');
  }
  inside(router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  // Many tools ask the router at the same time here; it is to answer all of them.
  inside(router, 'sysctl', '-qw', 'net.ipv4.icmp_ratelimit=0');
  // A way to everywhere, so that a packet that should not be sent would be seen to leave.
  inside(near, 'ip', 'route', 'add', 'default', 'via', '10.77.1.1');
  inside(near, 'ip', 'route', 'add', 'throw', '10.90.0.0/16');
  inside(near, 'ip', 'route', 'add', 'prohibit', '10.91.0.0/16');
  inside(router, 'ip', 'route', 'add', 'unreachable', '10.89.0.0/16');
  inside(far, 'ip', 'route', 'add', 'default', 'via', '10.77.2.1');
  must('ip', ['netns', 'exec', far, 'nft', '-f', '-'], farRules);
  must('ip', ['netns', 'exec', near, 'nft', '-f', '-'], nearRules);
}

/** .3 refuses mail as a firewall does, .4 swallows everything, .5 loses every other echo. */
const farRules = `table inet world {
  chain input { type filter hook input priority 0;
  ip daddr 10.77.2.3 tcp dport 2525 reject with tcp reset
  ip daddr 10.77.2.4 drop
  ip daddr 10.77.2.5 icmp type echo-request numgen inc mod 2 0 drop
  }
}
`;

const nearRules = `table inet watch {
  counter leaked { }
  chain output { type filter hook output priority 0;
    ip daddr { 169.254.0.0/16, 10.0.0.1, 224.0.0.0/4, 0.0.0.0 } counter name leaked
    ip daddr 127.0.0.1 tcp dport 6379 counter name leaked
    ip6 daddr ::ffff:10.0.0.1 counter name leaked
  }
}
`;

const serversModule = pathToFileURL(resolve(import.meta.dirname, '../../dist/commands/demo/smtp-servers.js')).href;

async function startServers(): Promise<ChildProcess> {
  const script = `import { healthy } from '${serversModule}';
    for (const last of [2, 3, 4, 5]) await healthy({ address: '10.77.2.' + last, port: 2525 });
    console.log('listening');`;
  const words = ['netns', 'exec', far, process.execPath, '--input-type=module', '-e', script];
  const child = spawn('ip', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'close').then(() => Promise.reject(new Error('the mail servers ended'))),
  ]);
  return child;
}
