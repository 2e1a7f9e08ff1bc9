/** Quotes texts from logs as one argument of a command line. */

// Control characters and line ends run what is pasted; Cf, Zl and Zp hide or reorder what the reader sees; half a surrogate
// pair is no character at all.
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const longest = 512;

/** What stands for other characters where PowerShell or a cmdlet takes a pattern (about_Wildcards), in quotes as well. */
export const wildcards = /[*?[\]]/;

/**
 * For PowerShell. Within single quotes nothing is special but a single quote, and PowerShell takes the typographic ones for
 * such (about_Quoting_Rules; U+2018 to U+201B).
 * @returns undefined for a text that no quotes make safe to paste
 */
export function powerShellWord(text: string): string | undefined {
  if (text.length > longest || unsafe.test(text)) return undefined;
  return plain.test(text) ? text : `'${text.replace(/['\u2018-\u201b]/g, '$&$&')}'`;
}

/** For a POSIX shell. @returns undefined for a text that no quotes make safe to paste */
export function shWord(text: string): string | undefined {
  if (text.length > longest || unsafe.test(text)) return undefined;
  return plain.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Nothing that either shell reads as anything but itself; never like an option. */
const plain = /^[a-z0-9/_][a-z0-9/_.:-]*$/i;
