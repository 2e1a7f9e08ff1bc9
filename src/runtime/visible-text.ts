/** Escapes invisible characters in a text, such as direction controls. */

/**
 * All that Unicode has drawn as nothing, the controls of direction among them, save what scripts and emoji are spelt with:
 * joiners and variation selectors.
 */
const invisible = /(?!\u200c|\u200d|\p{Variation_Selector})\p{Default_Ignorable_Code_Point}/u;
const eachInvisible = new RegExp(invisible, 'gu');

/**
 * `\u202E` for U+202E, two such for a character beyond U+FFFF; the same text where nothing hides in it. JSON stays the JSON
 * of the same value.
 */
export function visibleText(text: string): string {
  return invisible.test(text) ? text.replace(eachInvisible, escaped) : text;
}

/** True for a text that `visibleText` may have made: as a name, nothing in Exchange is called so. */
export function holdsEscapes(text: string): boolean {
  return /\\u[\da-f]{4}/i.test(text);
}

function escaped(sign: string): string {
  return Array.from({ length: sign.length }, (_, at) => hex(sign.charCodeAt(at))).join('');
}

function hex(unit: number): string {
  return String.raw`\u${unit.toString(16).toUpperCase().padStart(4, '0')}`;
}
