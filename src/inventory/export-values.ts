/** Single values of an export, in every form in which PowerShell writes them. */
import { addressOf, endpointOf } from '../model/endpoint.js';

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): unknown[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value;
  if (isObject(value) && Array.isArray(value.value) && 'Count' in value) return value.value;
  return [value];
}

/** Names under which .NET objects keep the text that a person would write. */
const textKeys = ['IPAddressToString', 'Domain', 'Name', 'Value', 'value'];

/** A value as text: a string, or an object around one; undefined for nothing and for the empty string. */
export function wordOf(value: unknown, depth = 0): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return value.trim() === '' ? undefined : value.trim();
  if (!isObject(value) || depth === deepest) return undefined;
  for (const key of textKeys) {
    const word = wordOf(value[key], depth + 1);
    if (word !== undefined) return word;
  }
  return undefined;
}

/** Objects around a text: PowerShell writes two at most. */
const deepest = 4;

/** The beginning of a value as JSON, for messages. The work is bounded by what is shown, however long or deep the value is. */
export function shown(value: unknown): string {
  let text = '';
  // Whatever is nested has written its bracket before, so this bounds the depth too.
  const isFull = (): boolean => text.length > mostShown;
  const write = (part: unknown): void => {
    if (Array.isArray(part)) {
      for (let index = 0; index < part.length && !isFull(); index++) {
        text += index === 0 ? '[' : ',';
        write(part[index]);
      }
      text += part.length === 0 ? '[]' : ']';
    } else if (isObject(part)) {
      let before = '{';
      for (const key in part) {
        if (isFull()) return;
        text += `${before}${JSON.stringify(key.slice(0, mostShown))}:`;
        before = ',';
        write(part[key]);
      }
      text += before === '{' ? '{}' : '}';
    } else text += typeof part === 'string' ? JSON.stringify(part.slice(0, mostShown)) : String(part);
  };
  write(value);
  return isFull() ? `${text.slice(0, mostShown)}...` : text;
}

const mostShown = 100;

/** Smart host and address space of EdgeSync connectors: "any Hub in the site", which is no name. */
const edgeSyncPlaceholder = '--';

export function smartHostOf(element: unknown): readonly string[] | undefined {
  const isAddress = isObject(element) && element.IsIPAddress === true;
  const word = isObject(element) ? wordOf(isAddress ? element.Address : (element.Domain ?? element)) : wordOf(element);
  if (word === edgeSyncPlaceholder) return [];
  const named =
    word === undefined ? undefined : endpointOf(addressOf(word) && word.includes(':') ? `[${word}]` : word, 25);
  return named && [named.host];
}

/** `SMTP:*.contoso.example;5`, `contoso.example` or an object; other types of address than SMTP are left out. */
export function addressSpaceOf(element: unknown): readonly string[] | undefined {
  if (isObject(element)) {
    if (element.IsSmtpType === false) return [];
    const domain = wordOf(element.Domain) ?? wordOf(element.Address);
    const below = element.IncludeSubDomains === true && domain !== undefined && !domain.startsWith('*');
    return domain === undefined ? undefined : domainOf(below ? `*.${domain}` : domain);
  }
  const text = wordOf(element) ?? '';
  const type = /^([a-z0-9]{1,32}):/i.exec(text)?.[1];
  if (type !== undefined && type.toLowerCase() !== 'smtp') return [];
  const domain = /^(?:smtp:)?([^;]+)(?:;\d+)?$/i.exec(text)?.[1];
  return domain === undefined ? undefined : domainOf(domain);
}

/** An address of X.400 holds blanks and semicolons of its own: what is left of one in a joined text is no domain. */
export function isRestOfX400(piece: string): boolean {
  return piece.startsWith(';') || piece.includes('=');
}

function domainOf(text: string): readonly string[] | undefined {
  const domain = text.toLowerCase();
  if (domain === edgeSyncPlaceholder) return [];
  return domain === '*' || endpointOf(domain.replace(/^\*\./, ''), 25) ? [domain] : undefined;
}

/** `EXCH01`, or the path of the directory that ends in it, which is what a cut object becomes; others are left out. */
export function serverOf(element: unknown): readonly string[] {
  const name = wordOf(element)?.split('/').at(-1)?.toLowerCase() ?? '';
  return endpointOf(name, 25)?.host === name ? [name] : [];
}

export function guidOf(given: unknown): string | undefined {
  return /^\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?$/i.exec(wordOf(given) ?? '')?.[1]?.toLowerCase();
}

export function portOf(given: unknown): number | undefined {
  const port = Number(wordOf(given));
  return Number.isInteger(port) && port >= 1 && port <= 65535 ? port : undefined;
}

/** 0.0.0.0 and :: mean any address. */
export function sourceAddressOf(given: unknown): string | undefined {
  return addressOf(wordOf(given) ?? '');
}
