/** Distinguishes JSON lines from a single JSON document. */

/**
 * JSON lines: the text begins with an object that ends on its line (or is longer than the text), or with the rest of a
 * line whose beginning is gone. A document: it begins with `[`, or with an object over several lines.
 */
export function jsonLayoutOf(head: string): 'lines' | 'document' {
  const start = head.search(/\S/);
  if (head[start] === '[') return 'document';
  if (head[start] !== '{') return 'lines';
  const lineEnd = head.indexOf('\n', start);
  if (lineEnd < 0) return 'lines';
  return head.slice(start, lineEnd).trimEnd().endsWith('}') ? 'lines' : 'document';
}
