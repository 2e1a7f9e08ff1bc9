import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PathReport, PingReport, ProbeResult } from '../../src/model/probes.js';
import { builtProgram } from '../support/exporter.js';
import { exporterFinds, hasProgram } from '../support/programs.js';
import { canMakeNamespaces, makeHosts, type Hosts } from './namespaces.js';

type Seen = { readonly result: ProbeResult; readonly ping?: PingReport; readonly path?: PathReport };

const possible =
  [hasProgram('ip'), hasProgram('nft'), exporterFinds('ping'), exporterFinds('mtr')].every(Boolean) &&
  canMakeNamespaces();

describe.skipIf(!possible)('hosts of our own', { timeout: 300_000 }, () => {
  let hosts: Hosts | undefined;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'namespaces-'));
    hosts = await makeHosts();
  }, 120_000);
  afterAll(async () => {
    await hosts?.close();
    await rm(folder, { recursive: true });
  });

  async function probe(destination: string, ...further: readonly string[]): Promise<Seen> {
    const words = [
      builtProgram,
      'probe',
      '--json',
      '--probe.allow=10.64.0.0/10',
      '--probe.ports=2525',
      ...further,
      destination,
    ];
    const { stdout, stderr } = await hosts!.run(process.execPath, words);
    expect(stderr).toBe('');
    const { results, network } = JSON.parse(stdout) as {
      results: ProbeResult[];
      network: Record<string, { ping: PingReport; path?: PathReport }>;
    };
    return { result: results[0]!, ...network[destination] };
  }

  const said = ({ result }: Seen): string =>
    result.success ? 'good' : `${result.failedStep ?? ''} ${result.reason ?? ''}`;
  const hopsOf = ({ path }: Seen): readonly (string | undefined)[] => (path?.hops ?? []).map(({ address }) => address);

  test('each trouble of the network has its reason, and ping and path show where', async () => {
    const at = (address: string): string => `${address}:2525`;
    const [good, firewall, blackHole, losing, nobody, unreachable, noRoute, prohibited] = await Promise.all([
      probe(at('10.77.2.2')),
      probe(at('10.77.2.3')),
      probe(at('10.77.2.4')),
      probe(at('10.77.2.5'), '--no-path'),
      probe(at('10.77.2.99'), '--no-path'),
      probe(at('10.89.0.1'), '--no-path'),
      probe(at('10.90.0.1'), '--no-path'),
      probe(at('10.91.0.1'), '--no-path'),
    ]);

    expect(said(good)).toBe('good');
    expect(good.ping).toMatchObject({ state: 'done', sent: 5, received: 5 });
    expect(good.path).toMatchObject({ state: 'done', reached: true });
    expect(hopsOf(good)).toEqual(['10.77.1.1', '10.77.2.2']);

    expect(said(firewall)).toBe('tcp refused');
    expect(firewall.ping).toMatchObject({ received: 5 });
    expect(hopsOf(firewall)).toEqual(['10.77.1.1', '10.77.2.3']);

    expect(said(blackHole)).toBe('tcp timeout');
    expect(blackHole.ping).toMatchObject({ state: 'done', sent: 5, received: 0 });
    expect(blackHole.path).toMatchObject({ state: 'done', reached: false });
    expect(hopsOf(blackHole)[0]).toBe('10.77.1.1');
    expect(hopsOf(blackHole)).not.toContain('10.77.2.4');

    expect(said(losing)).toBe('good');
    expect(losing.ping?.received).toBeGreaterThanOrEqual(1);
    expect(losing.ping?.received).toBeLessThanOrEqual(4);

    expect(said(nobody)).toBe('tcp host_unreachable');
    expect(nobody.ping).toMatchObject({ received: 0, detail: expect.stringContaining('10.77.1.1 answered') as string });

    expect(said(unreachable)).toBe('tcp host_unreachable');
    expect(unreachable.ping).toMatchObject({ received: 0, detail: expect.stringContaining('10.77.1.1') as string });

    expect(said(noRoute)).toBe('tcp network_unreachable');
    expect(noRoute.ping).toMatchObject({ state: 'failed', received: 0 });

    expect(said(prohibited)).toBe('tcp access_denied');
  });

  test('no event makes a packet leave for an address that policy forbids', async () => {
    const places = [
      '169.254.169.254:25',
      '127.0.0.1:6379',
      '[::ffff:10.0.0.1]:22',
      '0.0.0.0:25',
      '224.0.0.1:25',
      '[::ffff:169.254.169.254]:25',
    ];
    const events = places.map((place, index) =>
      JSON.stringify({
        '@timestamp': new Date().toISOString(),
        winlog: {
          channel: 'Application',
          provider_name: 'MSExchangeTransport',
          event_id: '2002',
          record_id: index + 1,
          computer_name: 'exch01.contoso.local',
          event_data: { param1: 'Outbound to Internet', param2: place },
        },
      }),
    );
    await writeFile(join(folder, 'events.ndjson'), `${events.join('\n')}\n`);
    await writeFile(join(folder, 'watch.mjs'), watchScript);
    const { stdout, stderr } = await hosts!.run(process.execPath, [
      join(folder, 'watch.mjs'),
      builtProgram,
      folder,
      String(places.length),
    ]);
    const blocked = [
      ...stdout.matchAll(
        /^exchange_destination_probe_failures_total\{destination="([^"]+)",step="tcp",reason="blocked_by_policy"\} [1-9]/gm,
      ),
    ];
    expect(blocked.map((match) => match[1]).sort(), stderr).toEqual([...places].sort());
    expect(hosts!.leaked()).toContain('packets 0 bytes 0');
    // The counter does see what leaves.
    await hosts!.run('ping', ['-c', '1', '-W', '1', '10.0.0.1']);
    expect(hosts!.leaked()).toContain('packets 1 ');
  });
});

/** Runs the exporter on the other host until each destination was judged, and prints its metrics. */
const watchScript = `
import { spawn } from 'node:child_process';
const [program, folder, wanted] = process.argv.slice(2);
const child = spawn(process.execPath, [program, '--web.listen-address=127.0.0.1:10202', '--state.directory=' + folder + '/state', '--', folder + '/events.ndjson'], { stdio: ['ignore', 'inherit', 'inherit'] });
let page = '';
for (let round = 0; round < 300; round += 1) {
  await new Promise((resolve) => setTimeout(resolve, 200));
  page = await fetch('http://127.0.0.1:10202/metrics').then((answer) => answer.text(), () => '');
  if ((page.match(/reason="blocked_by_policy"/g) ?? []).length >= Number(wanted)) break;
}
process.stdout.write(page);
child.kill('SIGTERM');
await new Promise((resolve) => child.on('close', resolve));
`;
