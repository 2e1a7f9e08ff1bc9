/** The listeners of all push sources of a kind: opening is retried until it succeeds, and they are followed as one. */
import type { SourceStatus } from '../../../model/status.js';
import type { Log } from '../../../runtime/log.js';
import { keepYoungGenerationSmall } from '../../../runtime/young-generation.js';
import type { Followed } from '../source.js';

export type PushListener = { readonly status: () => SourceStatus; readonly stop: () => Promise<void> };

export async function followListeners<Part>(
  parts: readonly Part[],
  openListener: (part: Part) => Promise<PushListener>,
): Promise<Followed> {
  keepYoungGenerationSmall();
  const listeners: PushListener[] = [];
  for (const part of parts) listeners.push(await openListener(part));
  return {
    statuses: () => listeners.map(({ status }) => status()),
    caughtUp: () => true,
    readingHistory: () => false,
    stop: async () => {
      await Promise.all(listeners.map(({ stop }) => stop()));
    },
  };
}

export type Opening<Open> = {
  /** Undefined until it is open. */
  readonly open: () => Open | undefined;
  readonly problem: () => string | undefined;
  /** Tries no more; resolves when it is settled whether the listener is open. */
  readonly end: () => Promise<void>;
};

/** An address may be in use for a while, and a file may come late. */
const againMs = 5_000;

/**
 * Tries until it works. Resolves after the first try.
 * @param open throws with the remedy
 * @param told what the log says of an open listener
 */
export async function keepOpening<Open>(
  source: string,
  log: Log,
  open: () => Promise<Open>,
  told: (open: Open) => Record<string, unknown>,
): Promise<Opening<Open>> {
  let [opened, problem, isEnded]: [Open | undefined, string | undefined, boolean] = [undefined, undefined, false];
  let timer: NodeJS.Timeout | undefined;
  const attempt = async (): Promise<void> => {
    try {
      opened = await open();
      problem = undefined;
      log.info('listening for records', { source, ...told(opened) });
    } catch (error) {
      const { message } = error as Error;
      if (message !== problem) log.error('cannot listen for records', { source, problem: message });
      problem = message;
      if (isEnded) return;
      timer = setTimeout(() => {
        trying = attempt();
      }, againMs);
    }
  };
  let trying = attempt();
  await trying;
  return {
    open: () => opened,
    problem: () => problem,
    end: async () => {
      isEnded = true;
      clearTimeout(timer);
      await trying;
    },
  };
}
