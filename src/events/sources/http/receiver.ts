/** Takes the requests of senders: reads, unpacks, decodes, enters, and answers when it is saved. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PushOutcome } from '../../../model/status.js';
import type { Log } from '../../../runtime/log.js';
import { unreadableOf, UnreadableRecord } from '../../decode/unreadable.js';
import { createGathered } from '../push/blocks.js';
import { type Entry, Late } from '../push/entry.js';
import { Bomb, Crowded } from '../push/inflate.js';
import { mostUnpacked, stock } from '../push/memory.js';
import type { Tally } from '../push/tally.js';
import { type AnswerForm, refuse, type Refusal } from './answers.js';
import { gather, isTooLong, readAway } from './body.js';
import { Refused, routeOf, type Route } from './route.js';
import type { HttpPart } from './part.js';
import { createWorker } from './worker.js';

export type Receiver = {
  readonly receive: (request: IncomingMessage, response: ServerResponse) => void;
  /** Nothing more is taken; what was taken is answered, within a second whatever the ledger does. */
  readonly drain: () => void;
};

type Parts = { readonly part: HttpPart; readonly tally: Tally; readonly entry: Entry; readonly log: Log };

/** Requests in hand at once. */
const mostRequests = 256;

const crowded: Refusal = { status: 503, text: 'too much is being sent at once; send it again', retryAfter: 1 };
const late: Refusal = { status: 503, text: 'the ledger cannot be saved in time; send it again', retryAfter: 5 };
const draining: Refusal = {
  status: 503,
  text: 'the exporter is stopping or reloading its configuration; send it again',
  retryAfter: 2,
};
const bomb: Refusal = {
  status: 413,
  text: `more than ${mostUnpacked} bytes in one request once it is unpacked; send smaller batches`,
};

export function createReceiver(parts: Parts): Receiver {
  const { tally, log, entry } = parts;
  const { mostBytes } = parts.part;
  // Of the largest requests one comes in while another is read.
  stock.holdAtLeast(2 * mostBytes);
  const work = createWorker(parts);
  const ending = createEnding();
  let inHand = 0;

  const take = async (request: IncomingMessage, response: ServerResponse, route: Route): Promise<void> => {
    if (ending.isBegun()) throw new Refused(draining);
    if (entry.isLate()) throw new Refused(late);
    if (inHand >= mostRequests) throw new Refused(crowded);
    if (isTooLong(request, mostBytes)) throw new Refused(tooLong(mostBytes));
    // Only now is the body wanted.
    if (request.headers.expect !== undefined && request.httpVersion !== '1.0') response.writeContinue();
    inHand++;
    const body = createGathered(stock);
    try {
      const ended = await gather(request, body, mostBytes);
      if (ended === 'too long') throw new Refused(tooLong(mostBytes));
      if (ended === 'no room') throw new Refused(crowded);
      if (ended === 'gone') return;
      tally.took(body.length());
      const answer = await work(route, body);
      answer(response);
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
      log.warn('rejected a request', { source: parts.part.name, problem: refusal.text });
    if (isOurs(error)) log.error('a request could not be read; please report it', { err: error });
    refuse(response, form, refusal);
    readAway(response.req);
  };
  return {
    receive: (request, response) => {
      let form: AnswerForm = 'text';
      const run = async (): Promise<void> => {
        const route = routeOf(request);
        ({ form } = route);
        await ending.unlessOver(take(request, response, route));
      };
      run().catch((error: unknown) => {
        if (error instanceof Refused) form = error.form ?? form;
        fail(response, form, error);
      });
    },
    drain: ending.begin,
  };
}

/** Whoever is not answered when the exporter ends is told to come again, while its connection is still there. */
const answersMs = 1_000;

function createEnding() {
  let isBegun = false;
  let end: () => void = () => undefined;
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    isBegun: () => isBegun,
    begin: () => {
      isBegun = true;
      setTimeout(end, answersMs).unref();
    },
    unlessOver: async (taken: Promise<void>): Promise<void> => {
      taken.catch(() => undefined);
      const isOver = await Promise.race([taken.then(() => false), over.then(() => true)]);
      if (isOver) throw new Refused(draining);
    },
  };
}

function tooLong(mostBytes: number): Refusal {
  const remedy = 'send smaller batches, or raise maxRequestMebibytes of the source';
  return { status: 413, text: `more than ${mostBytes} bytes in one request; ${remedy}` };
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refused) return error.refusal;
  if (error instanceof Late) return late;
  if (error instanceof Crowded) return crowded;
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
      error instanceof Crowded ||
      error instanceof Bomb ||
      error instanceof UnreadableRecord
    ) && !isOfZlib(error)
  );
}

function outcomeOf({ status }: Refusal): PushOutcome {
  if (status === 503) return 'busy';
  return status === 413 ? 'too_large' : 'unreadable';
}
