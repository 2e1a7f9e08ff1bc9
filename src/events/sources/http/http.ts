/** Listens for records that are pushed over HTTP, and answers when they are saved. */
import type { RequestListener } from 'node:http';
import type { SourceStatus } from '../../../model/status.js';
import { isLoopback } from '../../../config/forms.js';
import { createEntry } from '../push/entry.js';
import { createTally } from '../push/tally.js';
import type { Followed, Listening, Reading } from '../source.js';
import { createReceiver } from './receiver.js';
import type { HttpPart } from './part.js';
import { openToken, type Token } from './token.js';

type Door = {
  readonly status: () => SourceStatus;
  readonly stop: () => Promise<void>;
};

export async function followHttp(parts: readonly HttpPart[], reading: Reading): Promise<Followed> {
  const doors: Door[] = [];
  for (const part of parts) doors.push(await openDoor(part, reading));
  return {
    statuses: () => doors.map(({ status }) => status()),
    caughtUp: () => true,
    readingHistory: () => false,
    stop: async () => {
      await Promise.all(doors.map(({ stop }) => stop()));
    },
  };
}

/** An address may be in use for a while, and a file may come late. */
const againMs = 5_000;

type Open = { readonly listening: Listening; readonly token: Token | undefined };

async function openDoor(part: HttpPart, reading: Reading): Promise<Door> {
  const { name: source } = part;
  const { log } = reading;
  const tally = createTally(source, reading.now);
  const receiver = createReceiver({ part, tally, entry: createEntry(source, reading, reading.joined), log });
  let [open, problem, isStopped]: [Open | undefined, string | undefined, boolean] = [undefined, undefined, false];
  let timer: NodeJS.Timeout | undefined;
  let opening: Promise<void> = Promise.resolve();

  const attempt = async (): Promise<void> => {
    try {
      open = await openListener(part, reading, receiver.receive, () => {
        tally.count('unauthorized');
      });
      problem = undefined;
      log.info('listening for records', { source, url: open.listening.address() });
    } catch (error) {
      const { message } = error as Error;
      if (message !== problem) log.error('records cannot be pushed', { source, problem: message });
      problem = message;
      if (isStopped) return;
      timer = setTimeout(() => {
        opening = attempt();
      }, againMs);
    }
  };
  opening = attempt();
  await opening;
  return {
    status: () => {
      const address = open?.listening.address();
      const wrong = problem ?? open?.listening.problem() ?? open?.token?.problem();
      return tally.status(address !== undefined, wrong ?? `listens on ${address}`);
    },
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      receiver.drain();
      await opening;
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
