/** `/api/v1/support-bundle`: what Microsoft's third user action asks for, as one zip without secrets. */
import { setImmediate } from 'node:timers/promises';
import { strToU8, zip } from 'fflate';
import { connectorsOf, destinationsOf, eventsOf, statusOf, visitOf } from './api.js';
import type { PageContext } from './page.js';

const readme = `What this is: the evidence of send-connector-exporter, for whoever helps with event 2002.

status.json        every Send connector and destination: state, diagnosis, errors; the sources that are read
connectors.json    the same by Send connector
destinations.json  destinations with their latest probe, ping and path
visits.json        kept visits of every destination with their steps and conversations
events.json        errors and failures of the last day, and related events (DNS, TCP/IP, TLS, ...) of the servers
configuration.json the configuration in force; values that may be secrets are masked
versions.json      versions and platform

It holds names of your servers, connectors and destinations. It holds no mail, no address of a person and no password.
`;

/** Made from the books part by part; between them, and while it is deflated, the event loop is free for others. */
export async function supportBundle(page: PageContext, configuration: unknown): Promise<Uint8Array> {
  const versions = { exporter: page.version, node: process.version, platform: process.platform, arch: process.arch };
  const visits = (): unknown[] =>
    page.board.entries().flatMap(({ destination }) => page.board.history(destination).map(visitOf));
  const files: Readonly<Record<string, () => unknown>> = {
    'status.json': () => statusOf(page),
    'connectors.json': () => ({ connectors: connectorsOf(page) }),
    'destinations.json': () => ({ destinations: destinationsOf(page) }),
    'visits.json': () => ({ visits: visits() }),
    'events.json': () => eventsOf(page),
    'configuration.json': () => masked(configuration),
    'versions.json': () => versions,
  };
  const folder = `support-bundle-${new Date(page.now).toISOString().slice(0, 19).replaceAll(':', '')}Z`;
  const members: [string, Uint8Array][] = [];
  for (const [name, contentOf] of Object.entries(files)) {
    await setImmediate();
    const content = contentOf();
    await setImmediate();
    members.push([name, strToU8(`${JSON.stringify(content, null, 1)}\n`)]);
  }
  return new Promise((resolve, reject) => {
    zip(
      { [folder]: { 'README.txt': strToU8(readme), ...Object.fromEntries(members) } },
      { mtime: new Date(page.now) },
      (error, data) => {
        if (error) reject(error);
        else resolve(data);
      },
    );
  });
}

const secretKeys = /pass|secret|token|credential|authori[sz]ation|private|api_?key|cookie|community/i;

/** Values under telling names are replaced, and users and passwords in URLs. */
export function masked(value: unknown, key = ''): unknown {
  if (value !== null && value !== undefined && secretKeys.test(key)) return '(masked)';
  if (typeof value === 'string') return value.replace(/((?<![a-z0-9+.-])[a-z0-9+.-]+:\/\/)[^\s/@]+@/gi, '$1(masked)@');
  if (Array.isArray(value)) return value.map((each) => masked(each));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, masked(each, name)]));
}
