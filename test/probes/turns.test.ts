/** Many visits at the same moment: what each does in one go is spread over turns of the event loop. */
import { once, setMaxListeners } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import { afterEach, expect, test, vi } from 'vitest';
import { openConversation } from '../../src/probes/conversation.js';

/** As long as a handshake holds the event loop on a slow machine. */
const workMs = 5;
/** Work is laid down after 8 ms, and what has begun is ended. */
const mostInTurn = 2;

afterEach(() => {
  vi.restoreAllMocks();
});

/** @returns `note` for each piece of work, and the most pieces that were begun in one turn of the event loop */
function countByTurn() {
  let [inTurn, most, all] = [0, 0, 0];
  const note = (): void => {
    if (inTurn === 0) setImmediate(() => (inTurn = 0));
    inTurn++;
    all++;
    most = Math.max(most, inTurn);
    const begun = performance.now();
    while (performance.now() - begun < workMs);
  };
  return { note, most: () => most, all: () => all };
}

test('of forty handshakes that are due at the same moment only a few begin in one turn of the event loop', async () => {
  const server = net.createServer((socket) => socket.on('error', () => undefined).resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  const open = async () => {
    const talk = openConversation({ deadline: performance.now() + 20_000, signal, note: () => undefined });
    await talk.connect({ host: '127.0.0.1', port }, 20_000);
    return talk;
  };
  const talks = await Promise.all(Array.from({ length: 40 }, open));
  const counted = countByTurn();
  const connect = tls.connect.bind(tls) as (options: tls.ConnectionOptions) => tls.TLSSocket;
  vi.spyOn(tls, 'connect').mockImplementation(((options: tls.ConnectionOptions) => {
    counted.note();
    return connect(options);
  }) as typeof tls.connect);
  const secured = talks.map((talk) => talk.secure({}, 1));
  await Promise.all(secured);
  for (const talk of talks) talk.close();
  server.close();
  expect(counted.all()).toBe(40);
  expect(counted.most()).toBeLessThanOrEqual(mostInTurn);
});
