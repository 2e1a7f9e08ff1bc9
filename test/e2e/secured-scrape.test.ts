/** The real Prometheus over TLS with a password, while certificates are rotated and strangers try the door. */
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { connect as connectSecurely } from 'node:tls';
import bcrypt from 'bcryptjs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createAuthority } from '../../src/commands/demo/certificates.js';
import { startExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { startPrometheus } from './prometheus.js';

const authority = createAuthority('Contoso Test CA');

test('no scrape fails: through three certificates, wrong passwords, idle connections and slow headers', async (context) => {
  const folder = await temporaryFolder();
  const file = (name: string): string => path.join(folder, name);
  const rotate = async (): Promise<void> => {
    const { cert, key } = authority.issue(['localhost']);
    for (const [name, text] of [
      ['server.key', key],
      ['server.crt', cert],
    ] as const) {
      await writeFile(file(`${name}.new`), text);
      await rename(file(`${name}.new`), file(name));
    }
  };
  await rotate();
  await writeFile(file('ca.crt'), authority.cert);
  const hash = bcrypt.hashSync('open sesame', 6);
  await writeFile(
    file('web.yml'),
    `tls_server_config: { cert_file: server.crt, key_file: server.key }\nbasic_auth_users: { prometheus: "${hash}" }\n`,
  );
  await writeFile(file('events.ndjson'), '');
  const exporter = await startExporter({
    files: [file('events.ndjson')],
    args: ['--no-probe', `--web.config.file=${file('web.yml')}`],
  });
  onTestFinished(() => exporter.kill9());
  const port = Number(new URL(exporter.url).port);
  const scrape = {
    scheme: 'https',
    tls_config: { ca_file: file('ca.crt'), server_name: 'localhost' },
    basic_auth: { username: 'prometheus', password: 'open sesame' },
  };
  const prometheus = await startPrometheus(context, folder, [{ address: `127.0.0.1:${port}`, instance: 'a' }], {
    scrape,
  });
  const scrapes = async (): Promise<number[]> =>
    ((await prometheus.samples('up'))[0]?.samples ?? []).map(([, value]) => value);
  await vi.waitFor(async () => {
    expect((await scrapes()).length).toBeGreaterThan(2);
  }, 60_000);

  const sockets = await besiege(port);
  const serials = new Set<string>();
  for (let turn = 0; turn < 3; turn++) {
    expect(await guess(port)).toMatch(/^(401|429)$/);
    await rotate();
    await vi.waitFor(async () => {
      serials.add(await serialAt(port));
      expect(serials.size).toBe(turn + 2);
    }, 30_000);
    const before = (await scrapes()).length;
    await vi.waitFor(async () => {
      expect((await scrapes()).length).toBeGreaterThan(before + 2);
    }, 30_000);
  }
  for (const socket of sockets) socket.destroy();
  expect(new Set(await scrapes())).toEqual(new Set([1]));
}, 180_000);

/** Connections of another address that say nothing, or never end their headers. */
async function besiege(port: number): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: 300 }, async (_, each) => {
      const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.9' });
      socket.resume().on('error', () => undefined);
      await once(socket, 'connect');
      if (each % 2 === 0) socket.write('GET / HTTP/1.1\r\nX-Slow: ');
      return socket;
    }),
  );
}

function guess(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', servername: 'localhost', port, ca: authority.cert, agent: false };
    request({ ...options, auth: 'prometheus:12345' }, (response) => {
      response.resume();
      resolve(String(response.statusCode));
    })
      .on('error', reject)
      .end();
  });
}

async function serialAt(port: number): Promise<string> {
  const socket = connectSecurely({ host: '127.0.0.1', servername: 'localhost', port, ca: authority.cert });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}
