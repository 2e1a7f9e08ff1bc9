/** Types of settings, from which the schema and the kinds of sources are built, with the text that says what was expected. */
import ipaddr from 'ipaddr.js';
import * as z from 'zod';
import { destinationOf, endpointOf } from '../model/endpoint.js';

// The `error` of every part is what stands after "expected" in a message; mistakes.ts adds where and what was found.

/** A mapping that refuses unknown keys; absent, it is empty and every key has its default. */
export function settings<Shape extends z.ZodRawShape>(shape: Shape) {
  // Every key of every section is optional or has a default, so an empty mapping is complete.
  return mapping(shape).prefault({} as never);
}

export function mapping<Shape extends z.ZodRawShape>(shape: Shape) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? `one of ${keys}` : `a mapping with the keys ${keys}`),
  });
}

export function list<Item extends z.ZodType>(item: Item, expected: string, least = 0) {
  return z.array(item, { error: expected }).min(least, { error: `${expected} with at least one entry` });
}

/** A string with a meaning: `parse` gives it, or undefined when the string has none. */
export function text<Value>(expected: string, parse: (text: string) => Value | undefined, about: z.GlobalMeta = {}) {
  return z
    .string({ error: expected })
    .meta(about)
    .transform((given, context): Value => {
      const value = parse(given);
      if (value !== undefined) return value;
      context.addIssue({ code: 'custom', message: expected, input: given });
      return z.NEVER;
    });
}

export function nonEmpty(given: string): string | undefined {
  return given.trim() === '' ? undefined : given;
}

export function fileName(description: string) {
  return text('the path of a file or folder', nonEmpty, { description, minLength: 1 });
}

export function hostName(description: string) {
  const parse = (given: string): string | undefined => (endpointOf(given, 25)?.host === undefined ? undefined : given);
  return text('a host name', (given) => (given.includes(':') ? undefined : parse(given)), { description });
}

export function whole(least: number, most: number, description: string) {
  const error = `a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error }).describe(description);
}

export function yesOrNo() {
  return z.boolean({ error: 'true or false' });
}

const durationUnits: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30s`, `5m`, `12h`, `30d` to milliseconds; from a second to ten years. */
export function duration(description: string) {
  const parse = (given: string): number | undefined => {
    const match = /^(\d{1,9}(?:\.\d{1,3})?)(s|m|h|d)$/.exec(given);
    const milliseconds = Number(match?.[1]) * (durationUnits[match?.[2] ?? ''] ?? Number.NaN);
    return milliseconds >= 1000 && milliseconds <= 3650 * 86_400_000 ? milliseconds : undefined;
  };
  const pattern = '^[0-9]{1,9}([.][0-9]{1,3})?(s|m|h|d)$';
  return text('a duration of a second or more, like 30s, 5m, 12h or 30d', parse, { description, pattern });
}

/** An address to listen on; without a host all addresses of this machine, port 0 takes a free one. */
export type ListenAddress = { readonly host?: string; readonly port: number };

/** `:10202`, `127.0.0.1:0`, `[::1]:10202` or `localhost:10202`. */
export function listenAddress() {
  const parse = (given: string): ListenAddress | undefined => {
    const match = /^(?:\[([^\]]+)\]|([^:\s[\]]*)):(0|[1-9]\d{0,4})$/.exec(given);
    const host = match?.[1] ?? match?.[2];
    const port = Number(match?.[3]);
    if (host === undefined || !(port <= 65535)) return undefined;
    if (host === '') return { port };
    return endpointOf(match?.[1] === undefined ? host : `[${host}]`, 1) && { host, port };
  };
  return text('host:port or :port', parse, { examples: [':10202', '127.0.0.1:10202', '[::1]:10202'] });
}

/** Whether only programs of this machine can come in there. */
export function isLoopback({ host = '' }: ListenAddress): boolean {
  if (host.toLowerCase() === 'localhost') return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback';
}

/** As it was written: `:4318`, `127.0.0.1:4318`, `[::1]:4318`. */
export function shownAddress({ host, port }: ListenAddress): string {
  return host === undefined ? `:${port}` : destinationOf({ host, port });
}
