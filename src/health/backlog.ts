/** Reports the progress of reading a backlog: in the log once a minute and at its end, and on the status page. */
import type { Log } from '../runtime/log.js';
import type { SourceStatus } from '../model/status.js';

export type Backlog = {
  readonly leftBytes: number;
  /** At the speed so far; undefined while it is not known. */
  readonly secondsLeft: number | undefined;
};

export type BacklogWatch = {
  /** Undefined while there is none. */
  readonly status: () => Backlog | undefined;
  /** Looks at the sources now; done by itself every second. */
  readonly check: () => void;
  readonly close: () => void;
};

export type BacklogOptions = {
  readonly sources: () => readonly Pick<SourceStatus, 'lagBytes' | 'bytesRead'>[];
  /** A clock that only goes forward, milliseconds. */
  readonly steady: () => number;
  readonly log: Pick<Log, 'info'>;
};

/** Less is read before anybody has read a line about it. */
const leastBytes = 16 * 2 ** 20;
/** A log that grows is never read to its last byte for good. */
const restBytes = 2 ** 20;
const checkMs = 1_000;
const tellMs = 60_000;
/** The speed of the first moments says little. */
const measureMs = 2_000;

type Begun = { readonly at: number; readonly read: number; toldAt: number };

export function watchBacklog({ sources, steady, log }: BacklogOptions): BacklogWatch {
  let begun: Begun | undefined;
  const look = (): { left: number; read: number } => {
    const all = sources();
    return {
      left: all.reduce((sum, { lagBytes }) => sum + lagBytes, 0),
      read: all.reduce((sum, { bytesRead }) => sum + bytesRead, 0),
    };
  };
  const status = (): Backlog | undefined => {
    const { left, read } = look();
    if (!begun || left < restBytes) return undefined;
    const [ms, bytes] = [steady() - begun.at, read - begun.read];
    return { leftBytes: left, secondsLeft: ms < measureMs || bytes <= 0 ? undefined : (left / bytes) * (ms / 1000) };
  };
  const check = (): void => {
    const { left, read } = look();
    // Sources that were opened again begin at nothing.
    if (begun && read < begun.read) begun = undefined;
    if (begun && left < restBytes) {
      log.info('caught up', { read: mebibytes(read - begun.read), seconds: Math.round((steady() - begun.at) / 1000) });
      begun = undefined;
    }
    if (!begun && left < leastBytes) return;
    begun ??= { at: steady(), read, toldAt: -Infinity };
    if (steady() - begun.toldAt < tellMs) return;
    begun.toldAt = steady();
    const seconds = status()?.secondsLeft;
    log.info('reading a backlog', {
      left: mebibytes(left),
      read: mebibytes(read - begun.read),
      ...(seconds !== undefined && { seconds_left: Math.ceil(seconds) }),
    });
  };
  const timer = setInterval(check, checkMs);
  timer.unref();
  return {
    status,
    check,
    close: () => {
      clearInterval(timer);
    },
  };
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
