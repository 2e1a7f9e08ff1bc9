/** The Alertmanager of examples/docker: the routes and inhibitions of the example, and one receiver that prints. */

/** Where receiver.mjs of examples/docker answers. */
const receiver = 'http://receiver:5001/';

/**
 * @param example text of alerts/alertmanager.yml
 * @returns the same with a web hook in place of every channel
 */
export function composeAlertmanager(example: string): string {
  const [routes = '', receivers = ''] = example.split(/^receivers:$/m);
  const names = [...receivers.matchAll(/^ {2}- name: (\S+)$/gm)].map((match) => match[1] ?? '');
  const printing = names.map(
    (name) => `  - name: ${name}\n    webhook_configs: [{ url: '${receiver}', send_resolved: true }]\n`,
  );
  return `# Alertmanager of compose.yml, made from alerts/alertmanager.yml by \`npm run generate\`: every notification goes to the
# service "receiver", which prints it. For people take the receivers of that file.
${routes.replace(/^(?:#.*\n)+\n/, '')}receivers:
${printing.join('')}`;
}
