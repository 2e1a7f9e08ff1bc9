/** Listens for records that are pushed over HTTP, and answers when they are saved. */
import type { RequestListener } from 'node:http';
import { isLoopback } from '../../../config/forms.js';
import { type PushListener, followListeners, keepOpening } from '../push/listeners.js';
import { createEntry } from '../push/entry.js';
import { createTally } from '../push/tally.js';
import type { Followed, Listening, Reading } from '../source.js';
import { createReceiver } from './receiver.js';
import type { HttpPart } from './part.js';
import { openToken, type Token } from './token.js';

export function followHttp(parts: readonly HttpPart[], reading: Reading): Promise<Followed> {
  return followListeners(parts, (part) => openSource(part, reading));
}

type Open = { readonly listening: Listening; readonly token: Token | undefined };

async function openSource(part: HttpPart, reading: Reading): Promise<PushListener> {
  const { name: source } = part;
  const { log } = reading;
  const tally = createTally(source, reading.now);
  const receiver = createReceiver({ part, tally, entry: createEntry(source, reading, reading.joined), log });
  const opening = await keepOpening(
    source,
    log,
    () =>
      openListener(part, reading, receiver.receive, () => {
        tally.count('unauthorized');
      }),
    ({ listening }) => ({ url: listening.address() }),
  );
  return {
    status: () => {
      const open = opening.open();
      const address = open?.listening.address();
      const wrong = opening.problem() ?? open?.listening.problem() ?? open?.token?.problem();
      const status = tally.status(address !== undefined, wrong ?? `listens on ${address}`);
      return { ...status, handshakes: open?.listening.handshakes() };
    },
    stop: async () => {
      receiver.drain();
      await opening.end();
      const open = opening.open();
      open?.token?.close();
      await open?.listening.close();
    },
  };
}

/** @throws when its address or its files are not to be had, with the remedy */
async function openListener(
  { name: source, listenAddress, webConfigFile, bearerTokenFile }: HttpPart,
  { listen, log }: Reading,
  inside: RequestListener,
  refused: () => void,
): Promise<Open> {
  const { host, port } = listenAddress;
  const token = bearerTokenFile === undefined ? undefined : await openToken(bearerTokenFile, log);
  try {
    const listening = await listen({
      source,
      at: host === undefined ? { port } : { host, port },
      webConfigFile,
      isToken: token?.isIn,
      mayBeOpen: isLoopback(listenAddress),
      inside,
      refused,
      log,
    });
    return { listening, token };
  } catch (error) {
    token?.close();
    throw error;
  }
}
