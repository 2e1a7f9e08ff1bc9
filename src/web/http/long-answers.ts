/**
 * Makes pages, answers of the API and the bundle, whatever their length: in strokes, once for all who ask for the same
 * meanwhile, and few at a time. The rest wait, and of very many some are told to come again.
 */
import { createBreath, inStrokes, type Breath, type Steps } from '../../runtime/breath.js';
import { createFewAtOnce } from '../../runtime/few-at-once.js';
import { pieceOf, type Piece } from '../../metrics/page.js';

/** Made at a time; they take turns. */
const mostAtOnce = 4;
/** Answers that may wait to be made. One that is asked for by many waits once. */
const mostWaiting = 64;
/** Texts are joined up to about this many characters. */
const pieceLength = 64 * 1024;

/** Too many different answers are asked for at a time. */
export class Crowded extends Error {
  readonly status = 503;
  constructor() {
    super('too many long answers are being made at this moment');
    this.name = 'Crowded';
  }
}

export type LongAnswers = {
  /**
   * @param name equal for equal answers: while one is made, all who ask for it get that one
   * @throws Crowded
   */
  readonly made: <Made>(name: string, make: (breathe: Breath) => Promise<Made>) => Promise<Made>;
};

export function createLongAnswers(): LongAnswers {
  // One for all: together they must not hold the event loop either.
  const breathe = createBreath();
  const underWay = new Map<string, Promise<unknown>>();
  const few = createFewAtOnce(mostAtOnce);
  return {
    made: async <Made>(name: string, make: (breathe: Breath) => Promise<Made>) => {
      const known = underWay.get(name) as Promise<Made> | undefined;
      if (known) return known;
      if (few.waiting() >= mostWaiting) throw new Crowded();
      const fresh = few.run(() => make(breathe)).finally(() => underWay.delete(name));
      underWay.set(name, fresh);
      return fresh;
    },
  };
}

/** A text that comes in small pieces, in pieces that are worth sending. */
export function piecesOf(texts: Iterable<string>, breathe: Breath): Promise<readonly Piece[]> {
  return inStrokes(joined(texts), breathe);
}

function* joined(texts: Iterable<string>): Steps<readonly Piece[]> {
  const pieces: Piece[] = [];
  let text = '';
  for (const each of texts) {
    yield;
    text += each;
    if (text.length < pieceLength) continue;
    pieces.push(pieceOf(text));
    text = '';
  }
  return text === '' && pieces.length > 0 ? pieces : [...pieces, pieceOf(text)];
}
