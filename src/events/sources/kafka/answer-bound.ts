/** Bounds what a broker may answer: a length that lies is refused before memory is taken for it. */
import type { Connection } from '@platformatic/kafka';

/** A batch that is larger than what was asked for comes whole; brokers take none of more than some megabytes. */
const mostAnswerBytes = 128 * 2 ** 20;

/**
 * The package keeps an answer until it has all the bytes that its length promises, be it two gibibytes.
 * @returns what tells why the connection was hung up on, for the package says only that it is closed
 */
export function boundAnswers({ socket }: Connection, where: string): () => string | undefined {
  let refusal: string | undefined;
  let missing = 0;
  let header = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    for (let at = 0; at < bytes.length;) {
      if (missing > 0) {
        const taken = Math.min(missing, bytes.length - at);
        [missing, at] = [missing - taken, at + taken];
        continue;
      }
      const part = bytes.subarray(at, at + 4 - header.length);
      header = Buffer.concat([header, part]);
      at += part.length;
      if (header.length < 4) continue;
      const length = header.readInt32BE(0);
      header = Buffer.alloc(0);
      if (length < 0 || length > mostAnswerBytes) {
        refusal = `${where}: expected an answer of Kafka of at most 128 MiB, got a length of ${length} bytes`;
        socket.destroy(new Error(refusal));
        return;
      }
      missing = length;
    }
  });
  return () => refusal;
}
