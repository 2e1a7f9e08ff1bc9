/** Handles SIGINT, SIGTERM and SIGHUP from the first moment of a start, so that none of them kills it half-way. */
import { endProcess } from './process-end.js';

export type StopSignal = {
  /** Settles with the name of what comes first: a signal, or a word of the service manager; never, where none comes. */
  readonly first: Promise<string>;
  /** What is to be said when a second one ends the process at once. */
  onSecond: (name: NodeJS.Signals) => void;
  /** @param reload called for each SIGHUP, and at once when one has come already */
  readonly onHangup: (reload: () => void) => void;
};

/** Milliseconds within which a second signal is the same Ctrl-C: npm passes on what the terminal has delivered already. */
const sameKeyPress = 1000;

/** From now on the first signal is only told. A second one ends the process: the person means it. */
export function stopSignal(): StopSignal {
  let told: (name: NodeJS.Signals) => void;
  const first = new Promise<NodeJS.Signals>((resolve) => (told = resolve));
  let hasHungUp = false;
  let hangup = (): void => {
    hasHungUp = true;
  };
  const signal: StopSignal = {
    first,
    onSecond: () => undefined,
    onHangup: (reload) => {
      hangup = reload;
      if (hasHungUp) reload();
    },
  };
  let firstAt: number | undefined;
  const hear = (name: NodeJS.Signals, code: number): void => {
    firstAt ??= performance.now();
    told(name);
    if (performance.now() - firstAt < sameKeyPress) return;
    signal.onSecond(name);
    endProcess(code);
  };
  // 128 + the number of the signal, as shells report it.
  process.on('SIGINT', () => {
    hear('SIGINT', 130);
  });
  process.on('SIGTERM', () => {
    hear('SIGTERM', 143);
  });
  process.on('SIGHUP', () => {
    hangup();
  });
  return signal;
}
