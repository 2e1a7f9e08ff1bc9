/** Shows a name from a log or a file: isolated, so that it reverses no other text, and in full on hover. */
import type { VNode } from 'preact';
import { visibleText } from '../../runtime/visible-text.js';

/** A name in Hebrew or Arabic is written from right to left, and what stands beside it goes on from left to right. */
export function Name({ children }: { children: string }): VNode {
  // Thousands of rows stay small: of plain ASCII nothing is written from right to left.
  return plain.test(children) ? <>{children}</> : <bdi>{visibleText(children)}</bdi>;
}

const plain = /^[ -[\]-~]*$/;

/**
 * A sentence of a log, whatever its direction. Windows puts marks of direction around its dates; isolated, they say nothing.
 */
export function Said({ children }: { children: string }): VNode {
  return <bdi>{visibleText(children.replace(/[\u200e\u200f\u061c]/g, ''))}</bdi>;
}

/** A sentence of ours with each of the names in it shown as a `Name`. */
export function Sentence({ text, names }: { text: string; names: readonly (string | undefined)[] }): VNode {
  const known = names.filter((name): name is string => name !== undefined && name !== '' && text.includes(name));
  if (known.length === 0) return <>{visibleText(text)}</>;
  // The longest first: one name may begin with another.
  const anyName = new RegExp(
    `(${known
      .sort((a, b) => b.length - a.length)
      .map(literal)
      .join('|')})`,
  );
  return <>{text.split(anyName).map((part, place) => (place % 2 === 1 ? <Name>{part}</Name> : visibleText(part)))}</>;
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}
