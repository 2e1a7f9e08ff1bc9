import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createPlatformaticClient } from '../../src/events/sources/kafka/platformatic-client.js';

/** Says that an answer of so many bytes comes, and goes on sending until it is hung up on. */
async function lyingBroker(length: number): Promise<{ readonly address: string; readonly sent: () => number }> {
  let sent = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const head = Buffer.alloc(4);
    head.writeInt32BE(length);
    const send = (): void => {
      while (!socket.destroyed && sent < 256 * 2 ** 20) {
        sent += 65_536;
        if (!socket.write(Buffer.alloc(65_536))) return;
      }
    };
    socket.once('data', () => {
      socket.write(head);
      socket.on('drain', send);
      send();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, sent: () => sent };
}

test.each([200 * 2 ** 20, 2 ** 31 - 1, -5])(
  'an answer of Kafka that says it has %i bytes is refused before it is waited for',
  async (length) => {
    const { address, sent } = await lyingBroker(length);
    const client = createPlatformaticClient({ brokers: [address] });
    onTestFinished(client.close);
    await expect(client.metadata(['events'])).rejects.toThrow(
      `${address}: expected an answer of Kafka of at most 128 MiB, got a length of ${length} bytes`,
    );
    expect(sent()).toBeLessThan(64 * 2 ** 20);
  },
);
