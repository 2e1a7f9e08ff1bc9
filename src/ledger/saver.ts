/** When a save is due, when it is tried again, and who waits for it. */
import { trueTime, type Clocks, type Noted } from '../runtime/noted-time.js';
import { within } from '../runtime/within.js';

export type Saving = {
  /** Why saving fails at present. */
  readonly failing: string | undefined;
  readonly lastSavedAt: number | undefined;
  readonly saved: number;
  readonly failed: number;
};

export type Saver = {
  readonly start: () => void;
  /** Asks for a save within this time. */
  readonly saveWithin: (ms: number) => void;
  /** A batch was entered. Resolves when reading may go on: at once as a rule, later when saving lags or fails. */
  readonly entered: (content: BatchContent) => Promise<void>;
  /** Somebody looks: resolves when the news entered by now are saved, or a moment later where saving takes longer. */
  readonly hurried: () => Promise<void>;
  /** Resolves after the next save that succeeds, and when the ledger is closed. */
  readonly nextSave: () => Promise<void>;
  /** Resolves when all that was entered by now is on disk. @throws when it ends unsaved */
  readonly saved: () => Promise<void>;
  readonly isClosing: () => boolean;
  readonly saving: () => Saving;
  /** Saves what was entered and ends. */
  readonly close: () => Promise<void>;
};

/**
 * `news`: there is something to show; `history`: it is shown in one piece with what is still to be read; `place`: the
 * first checkpoint of a file, by which it is known from then on.
 */
export type BatchContent = 'news' | 'history' | 'place' | 'nothing';

export type SaverOptions = {
  readonly clocks: Clocks;
  /**
   * Saves what is entered by now; what is entered meanwhile waits for the next save.
   * @param taken to be called at the moment up to which it saves
   */
  readonly save: (taken: () => void) => Promise<void>;
  /** Called last, when all is saved. */
  readonly finish: () => Promise<void>;
  /** When something is to be saved though nothing is entered, by the steady clock. */
  readonly dueAt: () => number | undefined;
  /** Told once when saving fails, and once when it works again. */
  readonly onSaving?: ((failing: string | undefined) => void) | undefined;
};

/** Readers may run ahead of the save by so many batches. */
const batchesAhead = 64;
/** A checkpoint alone is saved within this time: reading ignored records again does no harm. */
export const lazySaveMs = 2_000;
/**
 * Nobody sees history before all of it is read; after a crash so much of it is read again at most, and no more than the
 * time that it was read for: whoever is ended again and again gets on as well.
 */
const historySaveMs = 5_000;
const firstHistorySaveMs = 100;
/** Nobody sees news before they look, and then they are saved at once: those that come one after another share a save. */
const newsSaveMs = 500;
/** Whoever looks waits for no longer, and sees what is saved already. */
const hurryMs = 30;
/** A batch of history is a part of one that somebody waits for, and of places there are as many as files. */
const weights: Readonly<Record<BatchContent, number>> = { news: 1, history: 1 / 32, place: 1 / 32, nothing: 1 };
/** Saving takes at most about a fifth of the time. */
const pauseFactor = 4;
const retryMs = 1_000;

type State = SaverOptions & {
  readonly startedAt: number;
  saving: Omit<Saving, 'lastSavedAt'>;
  savedAt: Noted | undefined;
  /** Batches entered since the last save began, by their weight. */
  unsaved: number;
  /** Batches entered since the start, and how many of them are on disk. */
  batches: number;
  batchesSaved: number;
  /** When the next save is due; undefined when there is nothing to save. */
  dueAtMs: number | undefined;
  /** No save before this: a long save is followed by a long pause. */
  restUntil: number;
  /** News are saved no sooner unless somebody looks. */
  newsAt: number;
  hasNews: boolean;
  closing: boolean;
  /** Nothing is saved any more. */
  ended: boolean;
  wake: (() => void) | undefined;
  waiting: (() => void)[];
};

export function createSaver(options: SaverOptions): Saver {
  const state: State = {
    ...options,
    startedAt: performance.now(),
    saving: { failing: undefined, saved: 0, failed: 0 },
    savedAt: undefined,
    unsaved: 0,
    batches: 0,
    batchesSaved: 0,
    dueAtMs: undefined,
    restUntil: 0,
    newsAt: 0,
    hasNews: false,
    closing: false,
    ended: false,
    wake: undefined,
    waiting: [],
  };
  let running: Promise<void> | undefined;
  return {
    start: () => {
      running = keepSaving(state);
    },
    saveWithin: saveWithin.bind(undefined, state),
    entered: (content) => entered(state, content),
    hurried: () => hurried(state),
    nextSave: () => nextSave(state),
    saved: () => untilSaved(state),
    isClosing: () => state.closing,
    saving: () => ({ ...state.saving, lastSavedAt: state.savedAt && trueTime(state.savedAt, state.clocks) }),
    close: async () => {
      state.closing = true;
      state.wake?.();
      await running;
    },
  };
}

function saveWithin(state: State, ms: number): void {
  const dueAt = Math.max(state.restUntil, performance.now() + ms);
  if (state.dueAtMs !== undefined && state.dueAtMs <= dueAt) return;
  state.dueAtMs = dueAt;
  state.wake?.();
}

async function entered(state: State, content: BatchContent): Promise<void> {
  state.unsaved += weights[content];
  state.batches++;
  if (content === 'news') state.hasNews = true;
  const waitMs = waitOf(state, content);
  // Whoever waits for the save waits for no longer than it takes.
  saveWithin(state, state.unsaved > batchesAhead ? 0 : waitMs);
  // Invariant 4: while the ledger cannot be saved nothing is read on. The files are the buffer.
  while ((state.saving.failing !== undefined || state.unsaved > batchesAhead) && !state.closing) await nextSave(state);
}

function waitOf({ startedAt, newsAt }: State, content: BatchContent): number {
  const now = performance.now();
  if (content === 'news') return newsAt - now;
  if (content === 'history') return Math.min(historySaveMs, Math.max(firstHistorySaveMs, now - startedAt));
  return content === 'place' ? 0 : lazySaveMs;
}

async function hurried(state: State): Promise<void> {
  if (!state.hasNews || state.saving.failing !== undefined || state.restUntil > performance.now()) return;
  saveWithin(state, 0);
  await within(hurryMs, nextSave(state));
}

async function untilSaved(state: State): Promise<void> {
  const wanted = state.batches;
  if (state.batchesSaved >= wanted) return;
  saveWithin(state, 0);
  while (state.batchesSaved < wanted) {
    if (state.ended) throw new Error('the exporter ended before it could save');
    await nextSave(state);
  }
}

function nextSave(state: State): Promise<void> {
  return new Promise((resolve) => state.waiting.push(resolve));
}

async function keepSaving(state: State): Promise<void> {
  while (!state.closing) {
    await untilDue(state);
    if (state.dueAtMs !== undefined) await saveOnce(state);
  }
  // What was entered while that save ran.
  if (state.dueAtMs !== undefined) await saveOnce(state);
  // It is saved already: what fails here loses nothing.
  if (state.saving.failing === undefined) await state.finish().catch(() => undefined);
  state.ended = true;
  release(state);
}

function untilDue(state: State): Promise<void> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const check = (): void => {
      clearTimeout(timer);
      const wait = state.dueAtMs === undefined ? undefined : state.dueAtMs - performance.now();
      if (state.closing || (wait !== undefined && wait <= 0)) {
        state.wake = undefined;
        resolve();
      } else if (wait !== undefined) timer = setTimeout(check, wait);
    };
    state.wake = check;
    check();
  });
}

async function saveOnce(state: State): Promise<void> {
  const started = performance.now();
  let batches = 0;
  try {
    await state.save(() => {
      batches = state.batches;
      state.unsaved = 0;
      state.dueAtMs = undefined;
      state.hasNews = false;
      state.newsAt = performance.now() + newsSaveMs;
    });
    state.batchesSaved = batches;
    noteSaved(state, performance.now() - started);
  } catch (error) {
    noteFailed(state, error);
  }
}

function noteSaved(state: State, tookMs: number): void {
  if (state.saving.failing !== undefined) state.onSaving?.(undefined);
  state.saving = { ...state.saving, failing: undefined, saved: state.saving.saved + 1 };
  state.savedAt = { at: state.clocks.now(), steadyAt: state.clocks.steady() };
  state.restUntil = performance.now() + Math.min(tookMs * pauseFactor, lazySaveMs);
  if (state.dueAtMs !== undefined) state.dueAtMs = Math.max(state.dueAtMs, state.restUntil);
  else {
    const at = state.dueAt();
    if (at !== undefined) state.dueAtMs = Math.max(state.restUntil, performance.now() + at - state.clocks.steady());
  }
  release(state);
}

function noteFailed(state: State, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  if (state.saving.failing !== message) state.onSaving?.(message);
  state.saving = { ...state.saving, failing: message, failed: state.saving.failed + 1 };
  state.dueAtMs = performance.now() + retryMs;
}

function release(state: State): void {
  const waiting = state.waiting;
  state.waiting = [];
  for (const resume of waiting) resume();
}
