/**
 * Puts the answers of a broker together, each in one piece of memory that is used again: a new one for each chunk and for each
 * partition adds up to twice what is read, and V8 would look through the whole heap for every 15 MiB of that.
 */
import type { Socket } from 'node:net';
import type { Connection } from '@platformatic/kafka';

/** A batch that is larger than what was asked for comes whole; brokers take none of more than some megabytes. */
const mostAnswerBytes = 128 * 2 ** 20;
/** The correlation ID, which every answer begins with. */
const leastAnswerBytes = 4;
/** What is shorter is not worth keeping a room for. */
const leastRoom = 64 * 1024;
/** As long as what a fetch brings as a rule; longer ones are given up again. */
const usualRoom = 4.5 * 2 ** 20;
const mostFree = 4;
const chunkBytes = 64 * 1024;
const lengthBytes = 4;

const free: ArrayBuffer[] = [];
const lent = new WeakSet<ArrayBuffer>();

function takeRoom(length: number): Buffer {
  if (length < leastRoom) return Buffer.allocUnsafeSlow(length);
  const room = length <= usualRoom ? (free.pop() ?? new ArrayBuffer(usualRoom)) : new ArrayBuffer(length);
  if (length <= usualRoom) lent.add(room);
  return Buffer.from(room, 0, length);
}

/** What was read of an answer is used no more, nor is anything else of that answer. Whatever is not given back is collected as garbage. */
export function giveBack({ buffer }: Buffer): void {
  if (!(buffer instanceof ArrayBuffer) || !lent.delete(buffer)) return;
  if (free.length < mostFree) free.push(buffer);
}

/**
 * Reads a connection instead of the package, which is handed whole answers. A length that lies is refused before memory is taken
 * for it: the package would keep an answer until it had all the bytes that its length promises, be it two gibibytes.
 * @returns what tells why the connection was hung up on, for the package says only that it is closed
 */
export function readAnswers({ socket }: Connection, where: string): () => string | undefined {
  let refusal: string | undefined;
  const head = Buffer.alloc(lengthBytes);
  let headLength = 0;
  let answer: Buffer | undefined;
  let length = 0;
  const deliver = socket.listeners('data') as ((bytes: Buffer) => void)[];
  const hangUp = (problem: string): void => {
    refusal = `${where}: ${problem}`;
    socket.destroy(new Error(refusal));
  };
  const take = (bytes: Buffer): void => {
    for (let at = 0; at < bytes.length && !socket.destroyed;) {
      if (!answer) {
        const taken = bytes.copy(head, headLength, at, at + lengthBytes - headLength);
        [headLength, at] = [headLength + taken, at + taken];
        if (headLength < lengthBytes) return;
        const promised = head.readInt32BE(0);
        if (promised < leastAnswerBytes || promised > mostAnswerBytes) {
          hangUp(`expected an answer of Kafka of 4 bytes to 128 MiB, got a length of ${promised} bytes`);
          return;
        }
        answer = takeRoom(lengthBytes + promised);
        length = head.copy(answer);
      }
      const taken = bytes.copy(answer, length, at);
      [length, at] = [length + taken, at + taken];
      if (length < answer.length) return;
      const whole = answer;
      [answer, headLength] = [undefined, 0];
      try {
        for (const each of deliver) each(whole);
      } catch (error) {
        hangUp(`expected an answer of Kafka, got ${whole.length} bytes that cannot be read: ${String(error)}`);
      }
    }
  };
  socket.removeAllListeners('data');
  readInto(socket, Buffer.allocUnsafeSlow(chunkBytes), take);
  return () => refusal;
}

/**
 * Lets the socket read into one buffer, as `onread` of `net.connect` does, which the package does not hand on. The members are not
 * documented; where they are others the socket takes new memory for each chunk.
 */
function readInto(socket: Socket, buffer: Buffer, take: (bytes: Buffer) => void): void {
  const inside = socket as unknown as Record<symbol, unknown> & { _handle?: { useUserBuffer?: (to: Buffer) => void } };
  const named = (name: string): symbol | undefined =>
    Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
  const [bufferAt, callbackAt] = [named('kBuffer'), named('kBufferCb')];
  const handle = inside._handle;
  if (!bufferAt || !callbackAt || inside[bufferAt] !== null || typeof handle?.useUserBuffer !== 'function') {
    socket.on('data', take);
    return;
  }
  inside[bufferAt] = buffer;
  inside[callbackAt] = (length: number): boolean => {
    take(buffer.subarray(0, length));
    return true;
  };
  handle.useUserBuffer(buffer);
}
