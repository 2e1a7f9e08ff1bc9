/** A topic of a Kafka of the demo's own on loopback: what the servers write goes through it. */
import { join } from 'node:path';
import { Admin, Producer } from '@platformatic/kafka';
import { freePort } from './free-port.js';
import { clusterProperties, missingForKafka, prepareBroker, startBroker } from './kafka-broker.js';

export type DemoTopic = {
  readonly broker: string;
  readonly topic: string;
  /** One record. */
  readonly send: (value: string) => void;
  readonly close: () => Promise<void>;
};

const [topic, partitions] = ['windows-events', 3];

/** @throws with the remedy when Kafka is not to be had on this machine */
export async function openTopic(folder: string): Promise<DemoTopic> {
  const missing = missingForKafka();
  if (missing.length > 0)
    throw new Error(`--kafka needs a Kafka on this machine:\n${missing.map((each) => `  - ${each}`).join('\n')}`);
  const [port, controller] = [await freePort(9092), await freePort(0)];
  const listeners = `PLAIN://127.0.0.1:${port}`;
  const node = {
    id: 1,
    home: join(folder, 'kafka'),
    port,
    properties: {
      ...clusterProperties([{ id: 1, controller }]),
      listeners: `${listeners},CONTROLLER://127.0.0.1:${controller}`,
      'advertised.listeners': listeners,
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAIN:PLAINTEXT',
    },
  };
  await prepareBroker(node);
  const running = await startBroker(node);
  const bootstrapBrokers = [`127.0.0.1:${port}`];
  const admin = new Admin({ clientId: 'demo', bootstrapBrokers });
  const producer = new Producer({ clientId: 'demo', bootstrapBrokers });
  try {
    await admin.createTopics({ topics: [topic], partitions, replicas: 1 });
  } catch (error) {
    await running.stop();
    throw error;
  } finally {
    await admin.close();
  }
  // One after the other, each into the next partition, as a shipper without a key does.
  let [sending, sent] = [Promise.resolve(), 0];
  return {
    broker: `127.0.0.1:${port}`,
    topic,
    send: (value) => {
      const messages = [{ topic, partition: sent++ % partitions, value: Buffer.from(value) }];
      sending = sending.then(async () => {
        await producer.send({ messages, acks: -1 });
      });
      sending.catch((error: unknown) => process.stderr.write(`Kafka: ${String(error)}\n`));
    },
    close: async () => {
      await sending.catch(() => undefined);
      await producer.close().catch(() => undefined);
      await running.stop();
    },
  };
}
