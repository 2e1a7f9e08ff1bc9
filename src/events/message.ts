/** Finds the Send connector and the destination in the finished text of event 2002, in whatever language it is. */
import { endpointOf } from '../endpoint.js';

/** What a text says; `connector` is undefined where the text names none that can be told for sure. */
export type MessageNames = { readonly connector: string | undefined; readonly destination: string };

/**
 * @param message finished text of an event 2002; whether it is one is for the caller to know
 * @param knownConnectors names of Send connectors that exist; only needed for languages other than English
 * @returns undefined when the text names no IP end point; the destination as written in the text otherwise
 */
export function namesFromMessage(message: string, knownConnectors: Iterable<string>): MessageNames | undefined {
  return namesOfEnglish(message) ?? namesOfRawStrings(message) ?? namesOfOtherLanguage(message, knownConnectors);
}

/** Microsoft's text of 2002 (learn.microsoft.com, ff981647). The name is greedy since it may hold `: ` itself. */
const english = /^\s*Send connector ([^]+): an error occurred while connecting to (\S+?)\.?\s*$/;

/** The end of what Windows says when it lacks the text of an event, before the bare insertion strings. */
const beforeRawStrings = /(?:is part of|was included with) the event\s*:\s*/g;

function namesOfEnglish(message: string): MessageNames | undefined {
  const match = english.exec(message);
  if (match?.[1] === undefined || match[2] === undefined || endpointOf(match[2])?.address !== true) return undefined;
  return { connector: match[1], destination: match[2] };
}

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
  const name = strings.slice(0, endpoint.index).replace(/\s*(?:[,;]\s*['"]?|[\r\n]\s*|['"])$/, '');
  return { connector: unquoted(name.trim()) || undefined, destination: endpoint.text };
}

function unquoted(text: string): string {
  return /^(['"])([^]*)\1$/.exec(text)?.[2] ?? text;
}

function namesOfOtherLanguage(message: string, knownConnectors: Iterable<string>): MessageNames | undefined {
  const endpoint = lastEndpoint(message);
  if (!endpoint) return undefined;
  const rest = `${message.slice(0, endpoint.index)}\n${message.slice(endpoint.index + endpoint.text.length)}`;
  let longest: string | undefined;
  for (const name of knownConnectors) {
    if (name.length > (longest?.length ?? 0) && names(rest, name)) longest = name;
  }
  return { connector: longest, destination: endpoint.text };
}

/** `203.0.113.25:25` or `[2001:db8::1]:25`; letters of a script without blanks may stand right beside it. */
const endpoints =
  /\[[0-9a-f:.]{2,45}(?:%[\w.-]{1,32})?\]:\d{1,5}(?!\d)|(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}:\d{1,5}(?!\d)/gi;

function lastEndpoint(text: string): { text: string; index: number } | undefined {
  return [...text.matchAll(endpoints)]
    .map((match) => ({ text: match[0], index: match.index }))
    .findLast((match) => endpointOf(match.text)?.address === true);
}

/** Letters and digits of scripts that put blanks between words. */
const partOfWord = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}_]/u;

/** Whether `text` holds `name`, and not as a part of a longer word. */
function names(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const before = partOfWord.test(text.charAt(at - 1)) && partOfWord.test(name.charAt(0));
    const after = partOfWord.test(text.charAt(at + name.length)) && partOfWord.test(name.charAt(name.length - 1));
    if (!before && !after) return true;
  }
  return false;
}
