/** Reads the runbooks (Markdown) at the start and shows one as safe HTML, with the labels of an alert filled in. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Marked, type RendererObject, type Tokens } from 'marked';
import { endpointOf } from '../../model/endpoint.js';
import { diagnoses, reasons } from '../../model/words.js';
import { holdsEscapes } from '../../runtime/visible-text.js';
import { contextKeys, type Context, type Links } from '../parts/links.js';
import { wildcards } from '../parts/quoting.js';

/** A heading of the second level, for the list of contents. */
type Heading = { readonly id: string; readonly text: string };

/** A runbook ready to be shown. */
type ShownRunbook = { readonly title: string; readonly html: string; readonly headings: readonly Heading[] };

type Runbook = { readonly name: string; readonly title: string; readonly summary: string };

export type Runbooks = {
  /** In the order of the alphabet. */
  readonly list: readonly Runbook[];
  readonly has: (name: string) => boolean;
  /** @returns undefined when no runbook has this name */
  readonly show: (name: string, context: Context, links: Links) => ShownRunbook | undefined;
};

/**
 * Reads every `<Name>.md` of the folder into memory. Names are looked up in that list and never become a path again,
 * so no request can reach another file.
 * @throws when the folder cannot be read
 */
export function loadRunbooks(directory: string): Runbooks {
  const names = readdirSync(directory).filter((file) => /^[A-Za-z][\w-]{0,80}\.md$/.test(file));
  const texts = new Map<string, string>();
  // One after the other and at once, as the code beside them: to wait for each of them takes longer than to read it.
  for (const file of names.sort()) texts.set(file.replace(/\.md$/, ''), readFileSync(join(directory, file), 'utf8'));
  return runbooksOf(texts);
}

/** The same from texts by name. */
export function runbooksOf(texts: ReadonlyMap<string, string>): Runbooks {
  const list = [...texts].map(([name, text]) => ({ name, title: titleOf(text) ?? name, summary: summaryOf(text) }));
  return {
    list,
    has: (name) => texts.has(name),
    show: (name, context, links) => {
      const text = texts.get(name);
      return text === undefined ? undefined : shown(text, titleOf(text) ?? name, context, { links, texts });
    },
  };
}

type Surroundings = { readonly links: Links; readonly texts: ReadonlyMap<string, string> };

function shown(text: string, title: string, context: Context, around: Surroundings): ShownRunbook {
  const headings: Heading[] = [];
  const values = valuesOf(context);
  const marked = new Marked({ async: false, gfm: true });
  marked.use({ renderer: rendererOf(headings, values, (href) => rewritten(href, context, around)) });
  return { title, html: marked.parse(text) as string, headings };
}

function titleOf(text: string): string | undefined {
  const [, title] = /^# (.*)$/m.exec(text) ?? [];
  return title
    ?.replace(/(?<!#)#+$/, '')
    .replaceAll('`', '')
    .trim();
}

/** First sentence of the first paragraph, without its marks. */
function summaryOf(text: string): string {
  const paragraph = text.split(/\r?\n\s*\r?\n/).find((block) => /^[^#<|>\s`-]/.test(block));
  const plain = (paragraph ?? '').replace(/\s+/g, ' ').replace(/[`*_]|\[([^[\]]*)\]\([^()]*\)/g, '$1');
  const sentence = /^.+?[.!?](?= |$)/.exec(plain)?.[0] ?? plain;
  return sentence.length > 200 ? `${sentence.slice(0, 199)}…` : sentence;
}

// ---------------------------------------------------------------------------------------------------------- rendering

function rendererOf(headings: Heading[], values: Values, link: (href: string) => string | undefined): RendererObject {
  const used = new Map<string, number>();
  return {
    heading({ tokens, depth, text }: Tokens.Heading): string {
      if (depth === 1) return ''; // the page has its title already
      const id = slugOf(text, used);
      const plain = plainOf(text);
      if (depth === 2) headings.push({ id, text: plain });
      const word = /^[\w]+/.exec(plain)?.[0] ?? '';
      const alias =
        closedWords.has(word) && word !== id && !used.has(word) ? `<span id="${escaped(word)}"></span>` : '';
      return `<h${depth} id="${escaped(id)}">${alias}${this.parser.parseInline(tokens)}</h${depth}>\n`;
    },
    code({ text }: Tokens.Code): string {
      return `<div class="code"><pre tabindex="0"><code>${filled(text, values)}</code></pre></div>\n`;
    },
    codespan: ({ text }: Tokens.Codespan) => `<code>${filled(text, values)}</code>`,
    html: ({ text }: Tokens.HTML | Tokens.Tag) => safeTag(text, values),
    image: ({ text }: Tokens.Image) => escaped(text),
    link({ href, tokens }: Tokens.Link): string {
      const words = this.parser.parseInline(tokens);
      const address = link(href);
      if (address === undefined) return words;
      return `<a href="${escaped(address)}"${/^https?:/.test(address) ? ' rel="noreferrer"' : ''}>${words}</a>`;
    },
    table(token: Tokens.Table): string {
      const cell = (item: Tokens.TableCell, tag: string): string =>
        `<${tag}>${this.parser.parseInline(item.tokens)}</${tag}>`;
      const head = token.header
        .map((item) => cell(item, 'th scope="col"').replace('</th scope="col">', '</th>'))
        .join('');
      // On a phone rows become cards, and each value says what column it is of.
      const labels = token.header.map((item) => escaped(plainOf(item.text)));
      const labelled = (item: Tokens.TableCell, column: number): string =>
        cell(item, 'td').replace('<td>', () => `<td data-label="${labels[column] ?? ''}">`);
      const rows = token.rows.map((row) => `<tr>${row.map(labelled).join('')}</tr>`).join('\n');
      return `<div class="scroll" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div>\n`;
    },
  };
}

const closedWords: ReadonlySet<string> = new Set([...reasons, ...diagnoses]);

/** The anchor that Git hosts give a heading, so that the same links work there and here. */
function slugOf(text: string, used: Map<string, number>): string {
  const slug = plainOf(text)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
    .replaceAll(' ', '-');
  const seen = used.get(slug) ?? 0;
  used.set(slug, seen + 1);
  return seen === 0 ? slug : `${slug}-${seen}`;
}

function plainOf(text: string): string {
  return text
    .replace(/<[^<>]*>/g, '')
    .replace(/\[([^[\]]*)\]\([^()]*\)/g, '$1')
    .replace(/[`*]/g, '')
    .trim();
}

/** The few tags that a runbook may hold; a placeholder is filled in, and everything else is shown as text. */
function safeTag(text: string, values: Values): string {
  const tag = text.trim();
  if (/^<!--[\s\S]*-->$/.test(tag)) return '';
  if (/^(?:<a (?:id|name)="[\w-]+">(?:<\/a>)?|<\/a>|<\/?(?:details|summary|kbd|sub|sup)>|<br ?\/?>)$/.test(tag))
    return text;
  return filled(text, values);
}

/** `reasons.md#refused` becomes the page with the labels kept; undefined for what must not become a link. */
function rewritten(href: string, context: Context, { links, texts }: Surroundings): string | undefined {
  if (href.startsWith('#') || /^https?:\/\//i.test(href)) return href;
  const match = /^(?:\.\/)?([A-Za-z][\w-]*)\.md(?:#([\w-]+))?$/.exec(href);
  return match?.[1] !== undefined && texts.has(match[1]) ? links.runbook(match[1], context, match[2]) : undefined;
}

// ------------------------------------------------------------------------------------------------------- placeholders

type Values = ReadonlyMap<string, string>;

function valuesOf(context: Context): Values {
  const values = new Map<string, string>();
  for (const key of contextKeys) {
    const value = context[key];
    if (value !== undefined && value !== '') values.set(key, value);
  }
  const endpoint = context.destination === undefined ? undefined : endpointOf(context.destination);
  if (endpoint) {
    values.set('host', endpoint.host);
    values.set('port', String(endpoint.port));
  }
  return values;
}

/**
 * Escapes a text and fills in `<connector>`, `<host>` and the like.
 *
 * People paste these commands into a shell with rights over Exchange, and the values come from logs and from links. A
 * value that could end its quotes, start a variable or hide characters is therefore left as a placeholder.
 */
function filled(template: string, values: Values): string {
  const connector = values.get('connector') ?? '';
  const isPattern = wildcards.test(connector) && isSafe('connector', connector, true);
  const text = isPattern ? pickedByName(template) : template;
  const parts: string[] = [];
  let end = 0;
  for (const match of text.matchAll(/<(connector|destination|host|port|server|source|instance)>/g)) {
    const value = values.get(match[1] ?? '');
    const quote = text[match.index - 1] ?? '';
    const quoted = (quote === '"' || quote === "'") && text[match.index + match[0].length] === quote;
    parts.push(escaped(text.slice(end, match.index)));
    const safe = value !== undefined && isSafe(match[1] ?? '', value, quoted);
    parts.push(safe ? `<mark>${escaped(value)}</mark>` : escaped(match[0]));
    end = match.index + match[0].length;
  }
  return parts.join('') + escaped(text.slice(end));
}

/** A cmdlet may take the identity for a pattern: the connector of exactly this name is picked out, then changed or shown. */
function pickedByName(text: string): string {
  return text.replace(
    /(Get|Set)-SendConnector (["']<connector>["'])/g,
    (_, verb: string, name: string) =>
      `Get-SendConnector | Where-Object { $_.Name -eq ${name} }${verb === 'Set' ? ' | Set-SendConnector' : ''}`,
  );
}

function isSafe(key: string, value: string, quoted: boolean): boolean {
  // Nothing is called as an escape shows it. Only a source is a pattern, and only an end point has brackets.
  if ((key === 'connector' || key === 'server' || key === 'host') && holdsEscapes(value)) return false;
  if ((key === 'server' || key === 'host') && wildcards.test(value)) return false;
  return (quoted ? safeInQuotes : safeAlone).test(value);
}

// PowerShell takes typographic quotes for quotes; Cf, Zl and Zp hide or reorder what the reader sees; a backslash at the
// end would escape the closing quote of a POSIX shell.
const safeInQuotes =
  /^[^"'`$%!\u2018-\u201f\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{0,255}[^"'`$%!\\\u2018-\u201f\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]$/u;
const safeAlone = /^[\p{L}\p{N}_.:[\]/][\p{L}\p{N}_.:[\]/\\*-]{0,255}$/u;

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
