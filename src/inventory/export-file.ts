/** Reads a Get-SendConnector export, whichever of its shapes PowerShell chose and however it was encoded. */
import type { SendConnector, TransportServer } from '../model/connectors.js';
import { connectorOf, transportServerOf, type Complain } from './export-elements.js';
import { isObject, listOf, shown, wordOf } from './export-values.js';

/** What an export tells. */
export type Export = {
  readonly connectors: readonly SendConnector[];
  readonly servers: readonly TransportServer[];
  /** Values that could not be read and were left out, with their place. */
  readonly leftOut: readonly string[];
};

/** An export, or what is wrong with one that tells of no Send connector, one text each. */
export type Decoded = ({ readonly ok: true } & Export) | { readonly ok: false; readonly mistakes: readonly string[] };

const maxMistakes = 20;

/**
 * PowerShell gives one connector as a bare object and several as a list; in Windows PowerShell a list inside an object
 * may become `{ value, Count }`. Our own script adds the servers: `{ Connectors, Servers }`.
 */
export function decodeExport(bytes: Buffer): Decoded {
  const text = textOf(bytes);
  if (text === undefined) return wrong('neither UTF-8 nor UTF-16');
  if (text.trim() === '') return wrong('expected connectors as JSON, got an empty file');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return wrong(`not readable as JSON (${(error as Error).message}): a file that is still being written, or cut off`);
  }
  const both = isObject(value) && 'Connectors' in value ? value : undefined;
  const given = { connectors: listOf(both ? both.Connectors : value), servers: listOf(both?.Servers) };
  if (Math.max(given.connectors.length, given.servers.length) > mostElements)
    return wrong(`expected at most ${mostElements} Send connectors and servers`);
  const mistakes: Mistakes = { texts: [], more: 0 };
  const elements = <Element>(
    what: string,
    list: readonly unknown[],
    read: (each: unknown, complain: Complain) => Element,
  ) =>
    list.flatMap((each, index) => {
      const place = placeOf(what, each, index);
      const complain: Complain = (property, expected, ...got) => {
        if (mistakes.texts.length === maxMistakes) {
          mistakes.more++;
          return;
        }
        const found = got.length === 0 ? '' : `, got ${shown(got[0])}`;
        mistakes.texts.push(`${place}${property === '' ? '' : `, ${property}`}: expected ${expected}${found}`);
      };
      return read(each, complain) ?? [];
    });
  const connectors = elements('connector', given.connectors, connectorOf);
  const servers = elements('server', given.servers, transportServerOf);
  // Not one connector of all that stand there: this is something else than an export.
  const leftOut = [...mistakes.texts, ...(mistakes.more > 0 ? [`and ${mistakes.more} more`] : [])];
  if (given.connectors.length > 0 && connectors.length === 0) return wrong(...leftOut);
  return { ok: true, connectors, servers, leftOut };
}

const mostElements = 10_000;

/** The first of them, and how many more there are: a hostile export has any number. */
type Mistakes = { readonly texts: string[]; more: number };

function wrong(...mistakes: readonly string[]): Decoded {
  return { ok: false, mistakes };
}

/** `>` of Windows PowerShell writes UTF-16 with a byte order mark, `Out-File -Encoding utf8` one of UTF-8. */
function textOf(bytes: Buffer): string | undefined {
  const mark = bytes.toString('hex', 0, 2);
  const isBare16 = bytes.length > 1 && bytes[0] !== 0 && bytes[1] === 0;
  const encoding = mark === 'fffe' || isBare16 ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** `connector 3 "To Partner"`, as a person counts. */
function placeOf(what: string, element: unknown, index: number): string {
  const name = isObject(element) ? wordOf(element.Name) : undefined;
  return `${what} ${index + 1}${name === undefined ? '' : ` ${JSON.stringify(name.slice(0, 64))}`}`;
}
