import { spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import dns, { lookup as namedLookup } from 'node:dns';
import { promises as dnsPromises } from 'node:dns';
import net from 'node:net';
import tls from 'node:tls';
import { expect, test } from 'vitest';
import { attempts, isLoopback } from './loopback-guard.mjs';

/** Runs something that must be refused, and takes it off the list of attempts. */
function refused(run: () => unknown): string {
  expect(run).toThrow(/loopback guard/);
  expect(attempts).toHaveLength(1);
  return attempts.splice(0)[0] ?? '';
}

test('refuses connections to anything but loopback and names the address', () => {
  expect(refused(() => net.connect(25, '10.1.2.3'))).toContain('10.1.2.3');
  expect(refused(() => net.connect({ port: 25, host: '169.254.169.254' }))).toContain('169.254.169.254');
  expect(refused(() => new net.Socket().connect(25, '2001:db8::1'))).toContain('2001:db8::1');
  expect(refused(() => net.connect(25, '0.0.0.0'))).toContain('0.0.0.0');
  expect(refused(() => tls.connect(465, '192.0.2.1'))).toContain('192.0.2.1');
  expect(refused(() => net.connect(25, 'mail.contoso.example'))).toContain('mail.contoso.example');
});

test('refuses datagrams to anything but loopback', () => {
  const socket = dgram.createSocket('udp4');
  expect(
    refused(() => {
      socket.send('hello', 53, '10.1.2.3');
    }),
  ).toContain('10.1.2.3');
  expect(
    refused(() => {
      socket.send(Buffer.from('hello'), 0, 5, 53, '10.1.2.4');
    }),
  ).toContain('10.1.2.4');
  expect(
    refused(() => {
      socket.connect(53, '10.1.2.5');
    }),
  ).toContain('10.1.2.5');
  socket.close();
});

test('refuses DNS queries to servers that are not on loopback, and lookups of names', () => {
  const resolver = new dnsPromises.Resolver();
  resolver.setServers(['10.9.9.9:5353']);
  expect(refused(() => resolver.resolveMx('contoso.example'))).toContain('10.9.9.9');
  const callbacks = new dns.Resolver();
  callbacks.setServers(['[2001:db8::53]:53']);
  expect(
    refused(() => {
      callbacks.resolve4('contoso.example', () => undefined);
    }),
  ).toContain('2001:db8::53');
  expect(
    refused(() => {
      dns.lookup('contoso.example', () => undefined);
    }),
  ).toContain('contoso.example');
  expect(
    refused(() => {
      namedLookup('contoso.example', () => undefined);
    }),
  ).toContain('contoso.example');
  expect(refused(() => dnsPromises.lookup('contoso.example'))).toContain('contoso.example');
});

test('lets loopback pass', async () => {
  const server = net.createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  for (const host of ['127.0.0.1', 'localhost']) {
    const text = await new Promise((resolve, reject) => {
      net
        .connect(port, host)
        .on('data', (chunk) => {
          resolve(chunk.toString());
        })
        .on('error', reject);
    });
    expect(text).toBe('hello');
  }
  expect(await dnsPromises.lookup('127.0.0.1')).toMatchObject({ address: '127.0.0.1' });
  server.close();
  expect(['127.9.9.9', '::1', '[::1]', '::ffff:127.0.0.1', 'localhost'].every(isLoopback)).toBe(true);
  expect(['128.0.0.1', '::2', '::ffff:10.0.0.1', '127.evil.example', '::'].some(isLoopback)).toBe(false);
});

test('guards a child process that is started with --import', () => {
  const guard = new URL('./loopback-guard.mjs', import.meta.url).href;
  const program = "import net from 'node:net'; try { net.connect(25, '10.1.2.3'); } catch {}";
  const child = spawnSync(process.execPath, ['--import', guard, '--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  expect(child.stderr).toContain('loopback guard: connection to 10.1.2.3 refused');
});
