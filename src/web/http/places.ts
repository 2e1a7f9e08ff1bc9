/** Limits connections: no network gets more than its share, and scrapers always get one. */
import type { Socket } from 'node:net';
import type { Log } from '../../runtime/log.js';
import { createCounter } from './counter.js';
import { networkOf } from './networks.js';

export type Places = {
  /** For the event `connection`: drops what has no place, before anything is read from it. */
  readonly enter: (socket: Socket) => void;
  /** Notes that an address was let in and has read a whole page of metrics. */
  readonly hasScraped: (address: string) => void;
};

export type PlacesOptions = {
  /** Milliseconds; need not be the time of day. */
  readonly now: () => number;
  readonly log: Pick<Log, 'warn'>;
};

/** Places for anybody. */
const commonPlaces = 1792;
/**
 * One network (/24 of IPv4, /64 of IPv6) may hold a quarter of what is free, within these bounds: more than browsers and
 * scrapers behind one address need, and the fuller it gets, the less is left to those who hold much.
 */
const [fewestOfNetwork, mostOfNetwork] = [8, 256];

/**
 * Whether a connection will scrape is not known before its request, and a login comes later still. So places are kept for
 * the senders (an address; in IPv6 a /64) that scraped lately: were let in, and read a whole page. One that scrapes on
 * keeps them; strangers cannot push it out by scraping from many addresses.
 */
const [keptSenders, placesOfSender] = [16, 16];
const latelyMs = 15 * 60_000;
const tellEveryMs = 60_000;

/** One set of places for all addresses that are listened on: 2048 in all. */
export function createPlaces({ now, log }: PlacesOptions): Places {
  const [ofNetwork, ofSender] = [createCounter(), createCounter()];
  const scrapers = new Map<string, number>();
  let taken = 0;
  let toldAt = -Infinity;
  const isScraper = (sender: string): boolean => now() - (scrapers.get(sender) ?? -Infinity) <= latelyMs;

  /** @returns what gives the place back, or undefined when there is none */
  const placeOf = (address: string): (() => void) | undefined => {
    const network = networkOf(address, { ipv4: 24, ipv6: 64 });
    const free = commonPlaces - taken;
    const share = Math.min(mostOfNetwork, Math.max(fewestOfNetwork, Math.floor(free / 4)));
    if (free > 0 && ofNetwork.count(network) < share) {
      taken++;
      const end = ofNetwork.begin(network);
      return () => {
        taken--;
        end();
      };
    }
    const sender = senderOf(address);
    if (isScraper(sender) && ofSender.count(sender) < placesOfSender) return ofSender.begin(sender);
    if (now() - toldAt >= tellEveryMs) {
      toldAt = now();
      log.warn('closing connections: their network has reached its limit', {
        network,
        holds: ofNetwork.count(network),
      });
    }
    return undefined;
  };
  return {
    enter: (socket) => {
      const end = placeOf(socket.remoteAddress ?? '');
      if (end === undefined) socket.destroy();
      else socket.once('close', end);
    },
    hasScraped: (address) => {
      const sender = senderOf(address);
      if (!scrapers.has(sender) && scrapers.size >= keptSenders) {
        const away = [...scrapers.keys()].find((each) => !isScraper(each));
        if (away === undefined) return;
        scrapers.delete(away);
      }
      scrapers.set(sender, now());
    },
  };
}

function senderOf(address: string): string {
  return networkOf(address, { ipv4: 32, ipv6: 64 });
}
