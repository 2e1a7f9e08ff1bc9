/** Links of Markdown files that lead nowhere: files that git does not know, and headings that GitHub gives another anchor. */
import path from 'node:path';
import { lexer, walkTokens, type Token, type Tokens } from 'marked';

/** The files of the repository: paths from its root, with `/`, and what a Markdown file says. */
export type Repository = { readonly files: ReadonlySet<string>; readonly read: (file: string) => string };

/** @returns `file: link` for each link, picture or reference of `markdown` that does not resolve */
export function deadLinks(file: string, markdown: string, repository: Repository): string[] {
  return linksOf(markdown)
    .filter((link) => !resolves(file, markdown, link, repository))
    .map((link) => `${file}: ${link}`);
}

/**
 * The anchors that GitHub gives: each heading as it is read, in lower case, without punctuation and with a hyphen for each
 * blank; a repeated one is numbered. Source: github-slugger, and "Section links" of GitHub's documentation.
 */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const token of tokensOf(markdown)) {
    if (token.type === 'heading') anchors.add(unused(slugOf(textOf((token as Tokens.Heading).tokens)), anchors));
    if (token.type === 'html')
      for (const [, name = ''] of token.raw.matchAll(/\b(?:id|name)="([^"]+)"/g)) anchors.add(name);
  }
  return anchors;
}

function resolves(file: string, markdown: string, link: string, { files, read }: Repository): boolean {
  if (/^(?:https?|mailto):/.test(link)) return true;
  const [name = '', anchor] = decodeURIComponent(link).split('#');
  const from = name.startsWith('/') ? '.' : path.posix.dirname(file);
  const target = name === '' ? file : path.posix.join(from, name).replace(/(.)\/$/, '$1');
  if (!files.has(target) && ![...files].some((known) => known.startsWith(`${target}/`))) return false;
  if (anchor === undefined || !target.endsWith('.md')) return true;
  return anchorsOf(target === file ? markdown : read(target)).has(anchor);
}

/** A reference that nothing defines is text for Markdown; here it is a link that leads nowhere. */
function linksOf(markdown: string): string[] {
  return tokensOf(markdown).flatMap((token) => {
    if (token.type === 'link' || token.type === 'image') return [(token as Tokens.Link | Tokens.Image).href];
    if (token.type === 'html') return [...token.raw.matchAll(/\b(?:href|src)="([^"]+)"/g)].map(([, link = '']) => link);
    if (token.type !== 'text' || 'tokens' in token) return [];
    return token.raw.match(/\[[^\][]+\]\[[^\][]*\]/g) ?? [];
  });
}

function tokensOf(markdown: string): Token[] {
  const tokens: Token[] = [];
  void walkTokens(lexer(markdown), (token) => {
    tokens.push(token);
  });
  return tokens;
}

/** What a reader sees of a heading: marks, addresses of links and pictures are not part of it. */
function textOf(tokens: readonly Token[] = []): string {
  return tokens
    .map((token) => {
      if (token.type === 'image' || token.type === 'html') return '';
      if ('tokens' in token) return textOf(token.tokens);
      return 'text' in token ? String(token.text) : '';
    })
    .join('');
}

function slugOf(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/&(?:amp|lt|gt|quot|#39);/g, '')
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
    .replaceAll(' ', '-');
}

function unused(slug: string, taken: ReadonlySet<string>): string {
  let anchor = slug;
  for (let again = 1; taken.has(anchor); again += 1) anchor = `${slug}-${again}`;
  return anchor;
}
