/** Binary logs that are damaged in every chunk, made of a sound one of the generator of the tests. */
import { writerModule } from '../evtx-writer.mjs';

const headerBytes = 4_096;
const chunkBytes = 65_536;
const recordsAt = 512;

export async function damagedLogs(folder, megabytes) {
  const sound = soundLog(await writerModule(folder), megabytes);
  const chunks = (change) => () => {
    const bytes = Buffer.from(sound);
    let state = 1;
    // A generator of its own: the same damage every time.
    const random = (below) => (state = (state * 48_271) % 2_147_483_647) % below;
    for (let at = headerBytes; at < bytes.length; at += chunkBytes) change(bytes.subarray(at, at + chunkBytes), random);
    return bytes;
  };
  const inputs = {
    sound: () => undefined,
    'bytes of chance behind the head of each chunk': (chunk, random) => {
      for (let at = recordsAt; at < chunkBytes; at++) chunk[at] = random(256);
    },
    'one byte in 500 changed': (chunk, random) => {
      for (let n = 0; n < chunkBytes / 500; n++) chunk[recordsAt + random(chunkBytes - recordsAt)] = random(256);
    },
    'one byte in 5,000 changed': (chunk, random) => {
      for (let n = 0; n < 13; n++) chunk[recordsAt + random(chunkBytes - recordsAt)] = random(256);
    },
    'marks of a record, and nothing else': (chunk) => {
      for (let at = recordsAt; at + 4 <= chunkBytes; at += 4) chunk.writeUInt32LE(0x00002a2a, at);
    },
    'records of 24 bytes': (chunk) => {
      for (let at = recordsAt; at + 24 <= chunkBytes; at += 24) {
        chunk.writeUInt32LE(0x00002a2a, at);
        chunk.writeUInt32LE(28, at + 4);
        chunk.writeBigUInt64LE(BigInt(at), at + 8);
        chunk.writeUInt32LE(28, at + 20);
      }
    },
    'elements that open and never close': (chunk) => {
      for (let at = recordsAt + 200; at < chunkBytes; at++) chunk[at] = 0x01;
    },
    'templates that stand in themselves': (chunk) => {
      for (let at = recordsAt + 200; at < chunkBytes; at++) chunk[at] = at % 10 === 0 ? 0x0c : 0x01;
    },
    'chunks without their mark': (chunk) => chunk.fill(0, 0, 8),
  };
  return Object.entries(inputs).map(([name, change]) => ({ name, bytes: chunks(change) }));
}

function soundLog(writer, megabytes) {
  const log = writer.createLog();
  for (let record = 0; log.slots.length < megabytes * 16; record++) {
    writer.addEvent(log, {
      provider: 'MSExchangeTransport',
      eventId: 2002,
      time: 1_768_464_842_137 + record * 997,
      strings: [`Outbound to Internet ${record % 20}`, `203.0.113.${record % 250}:25`],
    });
  }
  return writer.imageOf(log);
}
