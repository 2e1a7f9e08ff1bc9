import { afterEach, describe, expect, test } from 'vitest';
import type { ProbeResult } from '../../src/model/probes.js';
import type { TargetGroup } from '../../src/web/http/service-discovery.js';
import { runTool } from '../support/promtool.js';
import { runningWeb, type RunningWeb } from './servers.js';
import { ledgerRow, mailWorld, visit } from './world.js';

let web: RunningWeb | undefined;
afterEach(async () => {
  await web?.close();
  web = undefined;
});

const timeout = 'X-Prometheus-Scrape-Timeout-Seconds';
const at = Date.UTC(2026, 10, 23, 8, 14);
const facts = { address: '10.0.0.1', tlsVersion: 'TLSv1.3', certificateExpiresAt: at + 86_400_000 };
const good: ProbeResult = {
  ...visit('10.0.0.1:25', { at }),
  facts,
  steps: [{ step: 'tcp', seconds: 0.02, outcome: 'passed' }],
  transcript: [{ ms: 3, direction: '<', text: '220 mail.contoso.example' }],
};
const bad: ProbeResult = { ...good, success: false, failedStep: 'tcp', reason: 'refused', facts: {} };

async function ask(path: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${web!.url}${path}`, { headers });
  return { status: answer.status, text: await answer.text() };
}

describe('/probe', () => {
  test('answers as blackbox_exporter does, with the reason besides', async (context) => {
    const results = new Map([
      ['10.0.0.1:25', good],
      ['10.0.0.2:25', bad],
    ]);
    web = await runningWeb(mailWorld, { probe: (destination) => Promise.resolve(results.get(destination)) });
    const passed = await ask('/probe?target=10.0.0.1');
    expect(passed.text).toContain('\nprobe_success 1\n');
    expect(passed.text).toContain('\nprobe_tls_version_info{version="TLS 1.3"} 1\n');
    const failed = await ask('/probe?target=10.0.0.2:25&module=smtp');
    expect(failed).toMatchObject({ status: 200 });
    expect(failed.text).toContain('\nprobe_success 0\n');
    expect(failed.text).toMatch(/\nprobe_duration_seconds [\d.]+\n/);
    expect(failed.text).toContain('\nprobe_failure_info{step="tcp",reason="refused"} 1\n');
    for (const { text } of [passed, failed]) {
      expect(runTool(context, 'promtool', ['check', 'metrics'], text)).toEqual({ code: 0, output: '' });
    }
  });

  test('shows the conversation with debug=true', async () => {
    web = await runningWeb(mailWorld, { probe: () => Promise.resolve(good) });
    const { text } = await ask('/probe?target=10.0.0.1:25&debug=true');
    expect(text).toContain('     3 ms < 220 mail.contoso.example\n');
    expect(text).toContain('\nprobe_success 1\n');
  });

  test('probes nobody that is not known, and says so', async () => {
    const asked: string[] = [];
    web = await runningWeb(mailWorld, {
      probe: (destination) => {
        asked.push(destination);
        return Promise.resolve(undefined);
      },
    });
    const unknown = await ask('/probe?target=169.254.169.254:80');
    expect(unknown).toMatchObject({ status: 404 });
    expect(unknown.text).toContain('169.254.169.254:80 is not a known destination');
    expect(await ask('/probe')).toEqual({ status: 400, text: 'Expected target=host:port, got: (nothing)\n' });
    expect(await ask('/probe?target=http://x/')).toMatchObject({ status: 400 });
    expect(asked).toEqual(['169.254.169.254:80']);
  });

  test('1.5: tells before Prometheus gives up, in half a second less or half of its time', async () => {
    const waits: number[] = [];
    web = await runningWeb(mailWorld, {
      probe: (_destination, waitMs) => {
        waits.push(waitMs);
        return Promise.resolve(bad);
      },
    });
    for (const given of ['10', '0.4', '1e1', '+2.5', '600', '0', '']) {
      expect(await ask('/probe?target=10.0.0.1:25', { [timeout]: given })).toMatchObject({ status: 200 });
    }
    await ask('/probe?target=10.0.0.1:25');
    expect(waits).toEqual([9500, 200, 9500, 2000, 120_000, 60_000, 60_000, 60_000]);
    const { text } = await ask('/probe?target=10.0.0.1:25', { [timeout]: '10' });
    expect(text).toContain('\nprobe_timeout_seconds 9.5\n');
  });

  test('1.5: a time-out header that cannot be read is a 400 that names it', async () => {
    web = await runningWeb(mailWorld, { probe: () => Promise.resolve(good) });
    for (const wrong of ['ten', '-1', '0x10', 'NaN', 'Infinity', '1e999', '1,5', '10s']) {
      expect(await ask('/probe?target=10.0.0.1:25', { [timeout]: wrong })).toEqual({
        status: 400,
        text: `Expected a number of seconds in ${timeout}, got: ${wrong}\n`,
      });
    }
  });

  test('1.5: names protocol, chain and version as blackbox_exporter does', async (context) => {
    const certificate = {
      verified: true,
      earliestSentEndsAt: at + 1000,
      fingerprint: 'ab12',
      serialNumber: '01ff',
      subject: 'CN=mail.contoso.example',
      issuer: 'CN=Contoso "CA"',
      names: ['mail.contoso.example', 'contoso.example'],
    };
    const results = new Map([
      ['10.0.0.1:25', { ...good, facts: { ...facts, certificate } }],
      ['10.0.0.2:25', { ...good, facts: { ...facts, certificate: { ...certificate, verified: false } } }],
      ['relay.contoso.example:25', { ...good, facts: { addresses: ['fd00::25', '10.0.0.1'] } }],
    ]);
    web = await runningWeb(mailWorld, { probe: (destination) => Promise.resolve(results.get(destination)) });
    const { text } = await ask('/probe?target=10.0.0.1:25');
    expect(text).toContain('\nprobe_ip_protocol 4\n');
    expect(text).toContain(`\nprobe_ssl_earliest_cert_expiry ${at / 1000 + 1}\n`);
    expect(text).toContain(`\nprobe_ssl_last_chain_expiry_timestamp_seconds ${at / 1000 + 86_400}\n`);
    expect(text).toContain(
      'probe_ssl_last_chain_info{fingerprint_sha256="ab12",serialnumber="01ff",issuer="CN=Contoso \\"CA\\"",subject="CN=mail.contoso.example",subjectalternative="mail.contoso.example,contoso.example"} 1\n',
    );
    expect(text).toContain('\nprobe_tls_version_info{version="TLS 1.3"} 1\n');
    expect(runTool(context, 'promtool', ['check', 'metrics'], text)).toEqual({ code: 0, output: '' });
    const untrusted = await ask('/probe?target=10.0.0.2:25');
    expect(untrusted.text).not.toContain('probe_ssl_last_chain_expiry_timestamp_seconds');
    expect((await ask('/probe?target=relay.contoso.example')).text).toContain('\nprobe_ip_protocol 6\n');
  });
});

describe('/sd', () => {
  test('lists every destination once, with what Prometheus can choose by', async () => {
    const rows = [
      ledgerRow({ connector: 'Outbound to Internet', destination: '203.0.113.25:25' }),
      ledgerRow({ connector: 'Legacy, "old"', destination: '203.0.113.25:25' }),
      ledgerRow({ connector: 'Outbound to Internet', destination: 'other' }),
    ];
    const host = 'relay.contoso.example';
    web = await runningWeb(
      { ...mailWorld, rows, entries: [] },
      {
        targets: () => [
          { destination: `${host}:587`, host, port: 587, origin: 'inventory' },
          { destination: '203.0.113.25:25', host: '203.0.113.25', port: 25, origin: 'observed' },
        ],
      },
    );
    const answer = await fetch(`${web.url}/sd`);
    expect(answer.headers.get('content-type')).toContain('application/json');
    const groups = (await answer.json()) as TargetGroup[];
    expect(groups.map(({ targets }) => targets)).toEqual([[`${host}:587`], ['203.0.113.25:25']]);
    expect(groups[0]?.labels).toMatchObject({
      __meta_exchange_host: host,
      __meta_exchange_origin: 'inventory',
      __meta_exchange_connectors: '',
    });
    expect(groups[1]?.labels).toMatchObject({
      __meta_exchange_destination: '203.0.113.25:25',
      __meta_exchange_connectors: ',Legacy, "old",Outbound to Internet,',
    });
  });
});
