/** A Windows event log of one channel in memory, with the manners of the real one as far as they are known. */
import type { LogApi, Subscription } from '../../src/events/sources/windows-event-log/log-api.js';
import { errorNumbers as numbers, WindowsError } from '../../src/events/sources/windows-event-log/windows-error.js';

type Written = { readonly id: number; readonly time: number; readonly xml: string };

export type EventLogDouble = LogApi & {
  readonly write: (count?: number) => EventLogDouble;
  /** As "Clear log" does; whether numbers begin at 1 again is not known, so both are tried. */
  readonly clear: (numbersAnew: boolean) => EventLogDouble;
  /** Only the newest stay, as when the log wraps. */
  readonly keepNewest: (count: number) => EventLogDouble;
  /** The next calls of this name fail with these errors, one each. */
  readonly fail: (call: 'EvtSubscribe' | 'EvtNext' | 'EvtQuery', ...codes: number[]) => EventLogDouble;
  /** Subscriptions give nothing any more, without an error. */
  readonly deafen: () => EventLogDouble;
  /** Called by the next EvtNext after it has answered: what is written then comes during a drain. */
  readonly duringNext: (act: () => unknown) => EventLogDouble;
  /** Whether Windows has signalled new records since the signal was last taken back. */
  readonly signalled: () => boolean;
  readonly written: () => number;
  readonly opened: () => number;
  readonly largestAsked: () => number;
};

export function eventLogDouble(channel = 'Application'): EventLogDouble {
  let records: Written[] = [];
  let [nextId, total, opened, asked, clock] = [1, 0, 0, 0, Date.UTC(2026, 0, 15, 9)];
  let subscriptions: { deaf: boolean; stale: boolean; signalled: boolean }[] = [];
  let during: (() => unknown) | undefined;
  const failures = new Map<string, number[]>();
  const failIfTold = (call: string): void => {
    const code = failures.get(call)?.shift();
    if (code !== undefined) throw new WindowsError(call, code);
  };
  const write = (count = 1): EventLogDouble => {
    for (let i = 0; i < count; i++) {
      clock += 1_000;
      const id = nextId++;
      records.push({ id, time: clock, xml: xmlOf(channel, id, clock) });
      total++;
    }
    for (const each of subscriptions) each.signalled = true;
    return self;
  };
  const self: EventLogDouble = {
    write,
    clear: (numbersAnew) => {
      records = [];
      if (numbersAnew) nextId = 1;
      for (const each of subscriptions) each.stale = true;
      return self;
    },
    keepNewest: (count) => {
      records = records.slice(records.length - count);
      return self;
    },
    fail: (call, ...codes) => {
      failures.set(call, codes);
      return self;
    },
    deafen: () => {
      for (const each of subscriptions) each.deaf = true;
      return self;
    },
    duringNext: (act) => {
      during = act;
      return self;
    },
    signalled: () => subscriptions.some((each) => each.signalled),
    written: () => total,
    opened: () => opened,
    largestAsked: () => asked,
    newest: (_channel, query) => {
      failIfTold('EvtQuery');
      const id = /EventRecordID=(\d+)/.exec(query)?.[1];
      return (id === undefined ? records.at(-1) : records.find((each) => each.id === Number(id)))?.xml;
    },
    subscribe: (_channel, _query, bookmark): Subscription => {
      failIfTold('EvtSubscribe');
      const after = bookmark === undefined ? 0 : Number(/RecordId='(\d+)'/.exec(bookmark)?.[1]);
      if (bookmark !== undefined && !records.some(({ id }) => id === after)) {
        throw new WindowsError('EvtSubscribe', numbers.ERROR_NOT_FOUND);
      }
      opened++;
      let at = after;
      const subscription = { deaf: false, stale: false, signalled: true };
      subscriptions.push(subscription);
      return {
        next: (count) => {
          asked = Math.max(asked, count);
          const given = subscription.deaf ? [] : records.filter(({ id }) => id > at).slice(0, count);
          // It moves on even when it fails.
          const failure = failures.get('EvtNext')?.shift();
          const isEnd = failure === numbers.ERROR_INVALID_OPERATION || failure === numbers.ERROR_NO_MORE_ITEMS;
          if (failure !== undefined && !isEnd) at = given.at(-1)?.id ?? at;
          if (failure !== undefined) throw new WindowsError('EvtNext', failure);
          if (subscription.stale) throw new WindowsError('EvtNext', numbers.ERROR_EVT_QUERY_RESULT_STALE);
          at = given.at(-1)?.id ?? at;
          const act = during;
          during = undefined;
          act?.();
          if (given.length === 0) throw new WindowsError('EvtNext', numbers.ERROR_NO_MORE_ITEMS);
          return given.map(({ xml }) => xml);
        },
        bookmark: () =>
          `<BookmarkList><Bookmark Channel='${channel}' RecordId='${at}' IsCurrent='true'/></BookmarkList>`,
        wait: () => Promise.resolve(),
        reset: () => (subscription.signalled = false),
        close: () => (subscriptions = subscriptions.filter((each) => each !== subscription)),
      };
    },
  };
  return self;
}

export function xmlOf(channel: string, id: number, time: number, destination = '203.0.113.25:25'): string {
  return (
    `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>` +
    `<Provider Name='MSExchangeTransport'/><EventID Qualifiers='32772'>2002</EventID>` +
    `<TimeCreated SystemTime='${new Date(time).toISOString()}'/><EventRecordID>${id}</EventRecordID>` +
    `<Channel>${channel}</Channel><Computer>EXCH01</Computer></System>` +
    `<EventData><Data>To Partner</Data><Data>${destination}</Data></EventData></Event>`
  );
}
