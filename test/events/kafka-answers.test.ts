import { EventEmitter, once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { giveBack, readAnswers } from '../../src/events/sources/kafka/answers.js';
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

test.each([200 * 2 ** 20, 2 ** 31 - 1, -5, 0, 2, 3])(
  'an answer of Kafka that says it has %i bytes is refused before it is waited for',
  async (length) => {
    const { address, sent } = await lyingBroker(length);
    const client = createPlatformaticClient({ brokers: [address] });
    onTestFinished(client.close);
    await expect(client.metadata(['events'])).rejects.toThrow(
      `${address}: expected an answer of Kafka of 4 bytes to 128 MiB, got a length of ${length} bytes`,
    );
    expect(sent()).toBeLessThan(64 * 2 ** 20);
  },
);

test('an answer that cannot be read ends the connection and nothing else', () => {
  const socket = Object.assign(new EventEmitter(), {
    destroyed: false,
    destroy: (error: Error) => ((socket.destroyed = true), socket.emit('error', error)),
  });
  const told: string[] = [];
  socket.on('error', (error: Error) => told.push(error.message));
  socket.on('data', () => {
    throw new RangeError('out of bounds');
  });
  const refusal = readAnswers({ socket } as never, 'kafka:9092');
  socket.emit('data', answerOf(5, 0));
  expect(told).toEqual([
    'kafka:9092: expected an answer of Kafka, got 9 bytes that cannot be read: RangeError: out of bounds',
  ]);
  expect(refusal()).toBe(told[0]);
});

/** A socket of which a test says what comes; what the package would be handed. */
function readSocket() {
  const socket = Object.assign(new EventEmitter(), { destroyed: false });
  const got: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => got.push(bytes));
  readAnswers({ socket } as never, 'kafka:9092');
  return { got, receive: (bytes: Buffer) => socket.emit('data', bytes) };
}

function answerOf(length: number, fill: number): Buffer {
  const answer = Buffer.alloc(length + 4, fill);
  answer.writeInt32BE(length);
  return answer;
}

test('answers are handed on whole, however they are cut on the way', () => {
  const lengths = fc.array(fc.oneof(fc.integer({ min: 4, max: 40 }), fc.integer({ min: 60_000, max: 140_000 })), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(lengths, fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1 }), (sizes, cuts) => {
      const answers = sizes.map((size, n) => answerOf(size, n + 1));
      const all = Buffer.concat(answers);
      const { got, receive } = readSocket();
      for (let at = 0, n = 0; at < all.length; n++) {
        const cut = cuts[n % cuts.length] ?? 1;
        receive(all.subarray(at, at + cut));
        at += cut;
      }
      expect(got.map((each, n) => each.equals(answers[n] ?? each.subarray(1)))).toEqual(answers.map(() => true));
    }),
    { numRuns: 20 },
  );
});

test('the memory of an answer is used again when it was given back, and not before', () => {
  const { got, receive } = readSocket();
  for (let n = 0; n < 2; n++) receive(answerOf(100_000, n));
  const [first, second] = got;
  expect(second?.buffer).not.toBe(first?.buffer);
  // The records of two partitions of one answer.
  giveBack(first!.subarray(10, 20));
  giveBack(first!.subarray(20, 30));
  for (let n = 0; n < 2; n++) receive(answerOf(100_000, n));
  expect(got[2]?.buffer).toBe(first?.buffer);
  expect(got[3]?.buffer).not.toBe(first?.buffer);
  expect(second?.[4]).toBe(1);
});
