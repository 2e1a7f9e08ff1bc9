/** The URLs of all pages, safely built from names that come from logs. */
import type { Reason } from '../../model/words.js';
import type { Row } from '../view.js';

/** Labels of an alert that say whom it is about. */
export type Context = {
  readonly server?: string | undefined;
  readonly connector?: string | undefined;
  readonly destination?: string | undefined;
  readonly source?: string | undefined;
  readonly instance?: string | undefined;
};

export const contextKeys = ['server', 'connector', 'destination', 'source', 'instance'] as const;

/** Builds addresses below `base`, the path of the external URL without its last slash. */
export type Links = {
  readonly base: string;
  /** Any fixed page, for instance `/runbooks`. */
  readonly page: (path: string) => string;
  readonly connector: (name: string) => string;
  readonly destination: (name: string) => string;
  /** A runbook with the labels it is to show, and optionally an anchor in it. */
  readonly runbook: (name: string, context?: Context, anchor?: string) => string;
};

/** @param externalUrl where a browser finds this exporter, for instance `https://monitor.example/exchange/` */
export function linksOf(externalUrl: string | undefined): Links {
  const base = externalUrl === undefined ? '' : new URL(externalUrl).pathname.replace(/(?<!\/)\/+$/, '');
  return {
    base,
    page: (path) => base + path,
    connector: (name) => base + named('/connectors', name),
    destination: (name) => base + named('/destinations', name),
    runbook: (name, context = {}, anchor) =>
      `${base}/runbooks/${encoded(name)}${queryOf(context)}${anchor === undefined ? '' : `#${encoded(anchor)}`}`,
  };
}

/** Names from logs may hold half a surrogate pair, which has no form in an address; it becomes U+FFFD on both sides. */
export function wellFormed(name: string): string {
  return name.replace(/[\ud800-\udfff]/gu, '\ufffd');
}

/** The labels of a row as an alert would give them. */
export function contextOf(row: Row): Context {
  return { server: row.server, connector: row.connector, destination: row.destination };
}

/** The page of a reason in the runbooks. */
export function reasonLink(links: Links, reason: Reason, context: Context = {}): string {
  return links.runbook('reasons', context, reason);
}

// Browsers take `.` and `..` in a path for steps between folders even when they are encoded: those two go in the query.
function named(path: string, name: string): string {
  return name === '' || name === '.' || name === '..' ? `${path}?name=${encoded(name)}` : `${path}/${encoded(name)}`;
}

// A colon is allowed in paths and queries, and addresses with ports read better with it.
function encoded(name: string): string {
  return encodeURIComponent(wellFormed(name)).replace(/%3A/g, ':').replace(/'/g, '%27');
}

function queryOf(context: Context): string {
  const pairs = contextKeys.flatMap((key) => {
    const value = context[key];
    return value === undefined ? [] : [`${key}=${encoded(value)}`];
  });
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}
