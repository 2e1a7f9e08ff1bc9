/** Finds the Send connector and the destination in the finished text of event 2002, in whatever language it is. */
import { endpointOf } from '../model/endpoint.js';
import { finderOf } from './decode/name-finder.js';

/** What a text says; `connector` is undefined where the text names none that can be told for sure. */
export type MessageNames = { readonly connector: string | undefined; readonly destination: string };

/** Windows cuts event strings at 31,000 characters; what is longer than this is no text of an event. */
const mostCharacters = 256 * 1024;

/**
 * @param message finished text of an event 2002; whether it is one is for the caller to know
 * @param knownConnectors names of Send connectors that exist; only needed for languages other than English
 * @returns undefined when the text names no IP end point; the destination as written in the text otherwise
 */
export function namesFromMessage(message: string, knownConnectors: readonly string[]): MessageNames | undefined {
  const text = message.slice(0, mostCharacters);
  return namesOfEnglish(text) ?? namesOfRawStrings(text) ?? namesOfOtherLanguage(text, knownConnectors);
}

/** Microsoft's text of 2002 (learn.microsoft.com, ff981647), before and after the name of the connector. */
const english = { before: 'Send connector ', after: ': an error occurred while connecting to ' };

function namesOfEnglish(message: string): MessageNames | undefined {
  const text = message.trim();
  if (!text.startsWith(english.before)) return undefined;
  // The last, since the name may hold the same words.
  const after = text.lastIndexOf(english.after);
  const connector = text.slice(english.before.length, Math.max(0, after));
  const rest = text.slice(after + english.after.length);
  const destination = rest.endsWith('.') ? rest.slice(0, -1) : rest;
  if (after < 0 || connector === '' || endpointOf(destination)?.address !== true) return undefined;
  return { connector, destination };
}

/** The end of what Windows says when it lacks the text of an event, before the bare insertion strings. */
const beforeRawStrings = /(?:is part of|was included with) the event\s*:\s*/g;

/**
 * `The description for Event ID ( 2002 ) in Source ( MSExchangeTransport ) cannot be found. ... The following
 * information is part of the event: NAME, END POINT.` Newer systems put quotes around the strings, or a line each.
 */
function namesOfRawStrings(message: string): MessageNames | undefined {
  if (!/description for Event ID/i.test(message)) return undefined;
  const mark = [...message.matchAll(beforeRawStrings)].at(-1);
  if (!mark) return undefined;
  const strings = message.slice(mark.index + mark[0].length);
  const endpoint = lastEndpoint(strings);
  if (!endpoint) return undefined;
  const name = unquoted(withoutSeparator(strings.slice(0, endpoint.index)).trim());
  return { connector: name || undefined, destination: endpoint.text };
}

/** Without what stands between two strings: a comma or semicolon, a line break, or no more than an opening quote. */
function withoutSeparator(text: string): string {
  const bare = isQuote(text.at(-1)) ? text.slice(0, -1) : text;
  const rest = bare.trimEnd();
  if (rest.endsWith(',') || rest.endsWith(';')) return rest.slice(0, -1);
  return bare;
}

function unquoted(text: string): string {
  const isWhole = text.length > 1 && isQuote(text.at(0)) && text.at(0) === text.at(-1);
  return isWhole ? text.slice(1, -1) : text;
}

function isQuote(character: string | undefined): boolean {
  return character === "'" || character === '"';
}

function namesOfOtherLanguage(message: string, knownConnectors: readonly string[]): MessageNames | undefined {
  const endpoint = lastEndpoint(message);
  if (!endpoint) return undefined;
  const rest = `${message.slice(0, endpoint.index)}\n${message.slice(endpoint.index + endpoint.text.length)}`;
  return { connector: finderOf(knownConnectors)(rest), destination: endpoint.text };
}

/** `203.0.113.25:25` or `[2001:db8::1]:25`; letters of a script without blanks may stand right beside it. */
const endpoints =
  /\[[0-9a-f:.]{2,45}(?:%[\w.-]{1,32})?\]:\d{1,5}(?!\d)|(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}:\d{1,5}(?!\d)/gi;

function lastEndpoint(text: string): { text: string; index: number } | undefined {
  return [...text.matchAll(endpoints)]
    .map((match) => ({ text: match[0], index: match.index }))
    .findLast((match) => endpointOf(match.text)?.address === true);
}
