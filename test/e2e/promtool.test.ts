/** What a running exporter exposes, as Prometheus's own checker reads it. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { runTool } from '../support/promtool.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';

test('2.6 the metrics of a running exporter are clean for promtool check metrics', async (context) => {
  const folder = await temporaryFolder();
  const file = (name: string): string => path.join(folder, name);
  const lines = Array.from({ length: 5 }, (_, recordId) => winlogbeatLine({ recordId: recordId + 1 }));
  await writeFile(file('events.ndjson'), lines.join(''));
  await writeFile(file('not-to-read.ndjson'), '{"half": \n');
  const exporter = await startExporter({
    files: [file('events.ndjson'), file('not-to-read.ndjson'), file('missing.ndjson')],
    args: ['--no-probe'],
  });
  onTestFinished(() => exporter.kill9());
  const errors = /^exchange_send_connector_connection_errors_total\{.*\} [1-9]/m;
  await vi.waitFor(
    async () => {
      expect(await exporter.scrape()).toMatch(errors);
    },
    { timeout: 20_000, interval: 200 },
  );
  // Prometheus asks for OpenMetrics first; the answer is the text format, and says so.
  const asPrometheus = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1';
  for (const accept of [asPrometheus, 'application/openmetrics-text;version=1.0.0', 'text/plain', '*/*']) {
    const answer = await fetch(new URL('/metrics', exporter.url), { headers: { accept } });
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await answer.text();
    expect(text).toMatch(errors);
    expect(runTool(context, 'promtool', ['check', 'metrics'], text)).toEqual({ code: 0, output: '' });
  }
}, 60_000);
