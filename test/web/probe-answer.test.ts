import { afterEach, describe, expect, test } from 'vitest';
import type { ProbeResult } from '../../src/model.js';
import type { TargetGroup } from '../../src/web/service-discovery.js';
import { runTool } from '../promtool.js';
import { runningWeb, type RunningWeb } from './servers.js';
import { ledgerRow, mailWorld, visit } from './world.js';

let web: RunningWeb | undefined;
afterEach(async () => {
  await web?.close();
  web = undefined;
});

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
    expect(passed.text).toContain(`\nprobe_ssl_earliest_cert_expiry ${at / 1000 + 86_400}\n`);
    expect(passed.text).toContain('\nprobe_tls_version_info{version="TLSv1.3"} 1\n');
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

  test('answers before Prometheus gives up', async () => {
    web = await runningWeb(mailWorld, { probe: () => new Promise(() => undefined) });
    const answer = await ask('/probe?target=10.0.0.1:25', { 'X-Prometheus-Scrape-Timeout-Seconds': '0.1' });
    expect(answer).toEqual({ status: 503, text: 'The probe of 10.0.0.1:25 is still under way; ask again.\n' });
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
