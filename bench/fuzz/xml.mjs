/** Mutates event XML by its elements, attributes and texts, and writes what no writer of XML would. */
import { mark, oddText, pumped, spoilt } from './odd-values.mjs';

const depths = [2, 50, 3_000, 20_000];

/** @param donor another record, of which elements are taken */
export function mutateXml(random, text, donor) {
  let tokens = tokensOf(text);
  for (let rounds = random.size(6); rounds > 0 && tokens.length > 0 && lengthOf(tokens) < mostLength; rounds--)
    tokens = change(random, tokens, donor);
  return tokens.join('');
}

/** Longer ones are cut in any case; without a bound a few rounds make more than a string can hold. */
const mostLength = 5_000_000;

function lengthOf(tokens) {
  return tokens.reduce((sum, token) => sum + token.length, 0);
}

/** So often that what comes of it has a length that can still be handled. */
function times(random, most, element) {
  return Math.min(random.size(most), Math.ceil(mostLength / Math.max(1, lengthOf(element))));
}

/** Tags and what stands between them. */
function tokensOf(text) {
  return text.match(/<[^>]*>?|[^<]+/g) ?? [];
}

/** Index behind the element that begins at `at`, or behind the token when it does not begin one. */
function endOfElement(tokens, at) {
  const name = /^<([\w:.-]+)/.exec(tokens[at])?.[1];
  if (!name || tokens[at].endsWith('/>')) return at + 1;
  let depth = 0;
  for (let index = at; index < tokens.length; index++) {
    if (tokens[index].startsWith(`<${name}`) && !tokens[index].endsWith('/>')) depth++;
    if (tokens[index].startsWith(`</${name}`) && --depth === 0) return index + 1;
  }
  return at + 1;
}

function change(random, tokens, donor) {
  const at = random.int(tokens.length);
  const end = endOfElement(tokens, at);
  const element = tokens.slice(at, end);
  const [before, after] = [tokens.slice(0, at), tokens.slice(end)];
  const changes = [
    () => [...before, ...after],
    () => [...before, ...Array.from({ length: times(random, 2_000, element) }, () => element).flat(), ...after],
    () => [...before, ...nested(random, element), ...after],
    () => [...before, ...someElement(random, donor), ...element, ...after],
    () => swapped(random, tokens, at, end),
    () => [...before, strangeMarkup(random, element.join('')), ...after],
    () => [...before, spoiltToken(random, tokens[at]), ...tokens.slice(at + 1)],
    () => [...before, spoiltToken(random, tokens[at]), ...tokens.slice(at + 1)],
    () => [...before, tagWith(random, tokens[at]), ...tokens.slice(at + 1)],
    () => tokens.slice(0, at + 1),
    () => spoiltText(random, tokens),
    () => spoiltText(random, tokens),
  ];
  return random.pick(changes)();
}

function swapped(random, tokens, at, end) {
  const from = end + random.int(Math.max(1, tokens.length - end));
  if (from >= tokens.length) return tokens;
  const to = endOfElement(tokens, from);
  return [
    ...tokens.slice(0, at),
    ...tokens.slice(from, to),
    ...tokens.slice(end, from),
    ...tokens.slice(at, end),
    ...tokens.slice(to),
  ];
}

function nested(random, element) {
  const name = /^<([\w:.-]+)/.exec(element[0])?.[1] ?? random.pick(['Data', 'Event', 'System', 'x']);
  const depth = Math.min(random.pick(depths), Math.ceil(mostLength / name.length));
  const isOpen = random.chance(0.1);
  return [`<${name}>`.repeat(depth), ...element, isOpen ? '' : `</${name}>`.repeat(depth)];
}

function someElement(random, donor) {
  const tokens = tokensOf(donor);
  if (tokens.length === 0) return [];
  const at = random.int(tokens.length);
  return tokens.slice(at, endOfElement(tokens, at));
}

function strangeMarkup(random, text) {
  const markups = [
    () => `<![CDATA[${text}]]>`,
    () => `<![CDATA[${text}`,
    () => `<!--${text}-->`,
    () => `<!--${text}`,
    () => '<!---->'.repeat(random.size(50_000)),
    () => '<!--'.repeat(random.size(50_000)) + text,
    () => '<![CDATA['.repeat(random.size(20_000)) + text,
    () => `<?${oddText(random)} ${text}?>`,
    () => `<?xml ${text}`,
    () => `<!DOCTYPE e [<!ENTITY a "${pumped(random, 1_000)}"><!ENTITY b "&a;&a;&a;&a;">]>${text}&b;`,
    () => text.replaceAll('<', '<ev:').replaceAll('<ev:/', '</ev:'),
    () => text.replaceAll('>', ' />'),
    () => text.replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    () => `<Event>${text}</Event>`,
    () => `${text}</Event>`,
    () => '<Event>'.repeat(random.size(50_000)) + text,
    () => '<'.repeat(random.size(100_000)) + text,
    () => `<Data>${'&amp;'.repeat(random.size(30_000))}</Data>`,
    () => `<Data>${'&#x1F600;&#55357;'.repeat(random.size(10_000))}</Data>`,
  ];
  return random.pick(markups)();
}

function spoiltToken(random, token) {
  return spoilt(random, token, 50_000);
}

function spoiltText(random, tokens) {
  const texts = tokens.flatMap((token, index) => (token.startsWith('<') ? [] : [index]));
  if (texts.length === 0) return tokens;
  const at = random.pick(texts);
  return tokens.with(at, spoilt(random, tokens[at]));
}

/** A tag with attributes that it should not have. */
function tagWith(random, token) {
  const body = /^<[\w:.-]+/.exec(token)?.[0];
  if (!body) return token + mark(random);
  const attributes = [
    () => Array.from({ length: random.size(10_000) }, (_, n) => ` a${n}='${n}'`).join(''),
    () => " Name='MSExchangeTransport'".repeat(random.size(5_000)),
    () => ` Name='${oddText(random)}'`,
    () => ` Name="${pumped(random)}`,
    () => ' '.repeat(random.size(150_000)),
    () => ' Name='.repeat(random.size(20_000)),
    () => ` Name=${oddText(random)} Qualifiers="${oddText(random)}"`,
    () => ` xmlns:ev='http://schemas.microsoft.com/win/2004/08/events/event' xmlns=''`,
  ];
  return body + random.pick(attributes)() + token.slice(body.length);
}
