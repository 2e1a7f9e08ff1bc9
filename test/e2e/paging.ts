/** The bundled monitoring of the demo with a webhook in place of people. */
import { expect, onTestFinished, type TestContext } from 'vitest';
import { startMonitoring } from '../../src/commands/demo/monitoring.js';
import { startWebhook, type Alert } from './webhook.js';

/**
 * Starts Prometheus and Alertmanager with the bundled rules until the test is over; where one is missing the test is
 * skipped loudly, and fails on CI.
 * @returns what is notified, growing, and the addresses of Prometheus and Alertmanager
 */
export async function startPaging(
  context: TestContext,
  folder: string,
  exporterUrl: string,
): Promise<{ readonly notifications: readonly Alert[]; readonly urls: readonly string[] }> {
  const webhook = await startWebhook();
  const monitoring = await startMonitoring(folder, exporterUrl, {
    webhook: webhook.url,
    grafanaUrl: 'http://localhost:3000',
  });
  onTestFinished(() => monitoring.stop());
  const missing = monitoring.programs.filter((program) => program.url === undefined);
  if (missing.length > 0 && process.env.CI !== 'true') {
    console.warn(`SKIPPED: ${missing.map((program) => `${program.name} ${program.note ?? ''}`).join('; ')}`);
    context.skip();
  }
  expect(missing).toEqual([]);
  return { notifications: webhook.alerts, urls: monitoring.programs.map(({ url = '' }) => url) };
}
