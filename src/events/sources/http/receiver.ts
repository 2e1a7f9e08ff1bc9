/** Takes the requests of senders: reads, unpacks, decodes, enters, and answers when it is saved. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PushOutcome } from '../../../model/status.js';
import type { Log } from '../../../runtime/log.js';
import { createBreath, inStrokes } from '../../../runtime/breath.js';
import { unreadableOf, UnreadableRecord } from '../../decode/unreadable.js';
import { readOtlp } from '../../otlp/otlp.js';
import { createGathered, createStock } from '../push/blocks.js';
import { type Entry, inTime, Late, type Pushed } from '../push/entry.js';
import { createIngester } from '../push/ingest.js';
import { Bomb, createUnpacker } from '../push/inflate.js';
import type { Tally } from '../push/tally.js';
import { acceptOtlp, acceptText, type AnswerForm, refuse, type Refusal } from './answers.js';
import { gather } from './body.js';
import { Refused, routeOf, type Route } from './route.js';
import type { HttpPart } from './part.js';

export type Receiver = {
  readonly receive: (request: IncomingMessage, response: ServerResponse) => void;
  /** Nothing more is taken; what was taken is answered. */
  readonly drain: () => void;
};

type Parts = { readonly part: HttpPart; readonly tally: Tally; readonly entry: Entry; readonly log: Log };

/** Of one request as it is sent, and unpacked; and of all requests that wait. */
const [mostBytes, mostUnpacked, mostWaiting] = [4 * 1024 * 1024, 32 * 1024 * 1024, 16 * 1024 * 1024];
/** Requests in hand at once. */
const mostRequests = 256;

const crowded: Refusal = { status: 503, text: 'too much is being sent at once; send it again', retryAfter: 1 };
const late: Refusal = { status: 503, text: 'the ledger cannot be saved in time; send it again', retryAfter: 5 };
const draining: Refusal = {
  status: 503,
  text: 'the exporter ends or reads its configuration; send it again',
  retryAfter: 2,
};
const tooLong: Refusal = {
  status: 413,
  text: `more than ${mostBytes} bytes in one request; send smaller batches`,
};
const bomb: Refusal = {
  status: 413,
  text: `more than ${mostUnpacked} bytes in one request once it is unpacked; send smaller batches`,
};

export function createReceiver(parts: Parts): Receiver {
  const { tally, log, entry } = parts;
  const stock = createStock(mostWaiting);
  const worker = createWorker(parts);
  let [inHand, isDraining] = [0, false];

  const take = async (request: IncomingMessage, response: ServerResponse, route: Route): Promise<void> => {
    if (isDraining) throw new Refused(draining);
    if (entry.isLate()) throw new Refused(late);
    if (inHand >= mostRequests) throw new Refused(crowded);
    inHand++;
    const body = createGathered(stock);
    try {
      const ended = await gather(request, body, mostBytes);
      if (ended === 'too long') throw new Refused(tooLong);
      if (ended === 'no room') throw new Refused(crowded);
      if (ended === 'gone') return;
      await worker(route, body.parts(), response);
      tally.took(body.length());
      tally.count('accepted');
    } finally {
      body.release();
      inHand--;
    }
  };
  const fail = (response: ServerResponse, form: AnswerForm, error: unknown): void => {
    const refusal = refusalOf(error);
    tally.count(outcomeOf(refusal));
    if (refusal.status === 400 || refusal.status === 413)
      log.warn('a request is refused', { source: parts.part.name, problem: refusal.text });
    if (isOurs(error)) log.error('a request could not be read, please report it', { err: error });
    refuse(response, form, refusal);
    // What is still being sent is read away, but not for ever.
    response.req.socket.setTimeout(lingerMs);
  };
  return {
    receive: (request, response) => {
      let form: AnswerForm = 'text';
      const run = async (): Promise<void> => {
        const route = routeOf(request);
        ({ form } = route);
        await take(request, response, route);
      };
      run().catch((error: unknown) => {
        if (error instanceof Refused) form = error.form ?? form;
        fail(response, form, error);
      });
    },
    drain: () => {
      isDraining = true;
    },
  };
}

const lingerMs = 10_000;

/** Decodes one request after the other. */
function createWorker({ part, entry }: Parts) {
  const unpacker = createUnpacker(mostUnpacked);
  const breathe = createBreath();
  const ingest = createIngester();
  return async (route: Route, body: readonly Buffer[], response: ServerResponse): Promise<void> => {
    const { form, compression } = route;
    const server = route.server ?? part.server;
    if (form === 'text') {
      const pushed = await unpacker.unpack(body, compression, (bytes) => ingest(bytes, 'the request'));
      if (server === '' && pushed.decoded.some(({ kind }) => kind !== 'event')) throw new Refused(unnamed);
      await inTime(entry.enter(pushed, server));
      const records = pushed.decoded.length + pushed.ignored + sumOf(pushed.unreadable);
      acceptText(response, { records, unreadable: sumOf(pushed.unreadable), problem: pushed.trouble });
      return;
    }
    const pushed = await unpacker.unpack(body, compression, (bytes) => inStrokes(readOtlp(bytes, form), breathe));
    await inTime(entry.enter(pushed, server));
    acceptOtlp(response, form, sumOf(pushed.unreadable), pushed.trouble ?? '');
  };
}

const unnamed: Refusal = {
  status: 400,
  text: 'a transport log does not name its server; name it in the address: /ingest?server=EXCH01',
};

function sumOf(unreadable: Pushed['unreadable']): number {
  return Object.values(unreadable).reduce((sum, count) => sum + count, 0);
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refused) return error.refusal;
  if (error instanceof Late) return late;
  if (error instanceof Bomb) return bomb;
  if (error instanceof UnreadableRecord && error.reason === 'too_large') return { status: 413, text: error.message };
  if (isOfZlib(error))
    return { status: 400, text: `expected compressed bytes, got what cannot be unpacked: ${error.message}` };
  if (error instanceof Error && error.message.includes('ended before it could save')) return draining;
  return { status: 400, text: unreadableOf(error).message };
}

function isOfZlib(error: unknown): error is NodeJS.ErrnoException {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && /^(Z_|ERR_)/.test(code);
}

/** A fault of ours: the sender is told that its request cannot be read, for it must not send it for ever. */
function isOurs(error: unknown): boolean {
  return (
    !(
      error instanceof Refused ||
      error instanceof Late ||
      error instanceof Bomb ||
      error instanceof UnreadableRecord
    ) && !isOfZlib(error)
  );
}

function outcomeOf({ status }: Refusal): PushOutcome {
  if (status === 503) return 'busy';
  return status === 413 ? 'too_large' : 'unreadable';
}
