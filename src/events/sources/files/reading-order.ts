/** The order in which files are read: transport logs by their numbers, each log from its oldest file on. */
import path from 'node:path';

/** `SENDyyyymmdd-n.LOG`, with the hour behind the date in newer builds; the numbers have no padding. */
const namePattern = /^(SEND|CONNECTLOG)(\d{8})(\d{2})?-(\d+)\.LOG$/i;

type Place = { readonly date: number; readonly hour: number; readonly number: number; readonly kind: string };

/**
 * A log's later file must not be read before its earlier one is, or a session that was cut by the rotation would be read
 * from its end. Both logs are read side by side, because each has what the other lacks.
 */
export function inReadingOrder<File extends { readonly path: string; readonly isCopy?: boolean }>(
  files: Iterable<File>,
): File[] {
  const placed: { readonly file: File; readonly place: Place }[] = [];
  const others: File[] = [];
  const copies: File[] = [];
  for (const file of files) {
    const place = placeOf(file.path);
    // What is read in the original is stepped over in the copy.
    if (file.isCopy === true) copies.push(file);
    else if (place) placed.push({ file, place });
    else others.push(file);
  }
  placed.sort((a, b) => compare(a.place, b.place));
  return [...others, ...placed.map(({ file }) => file), ...copies];
}

export function isConnectivityLog(file: string): boolean {
  return placeOf(file)?.kind === 'CONNECTLOG';
}

/** Which log a file belongs to: its folder and prefix; undefined when it is no file of a transport log. */
export function logOf(file: string): string | undefined {
  const place = placeOf(file);
  return place && `${path.dirname(file)}\n${place.kind}`;
}

function placeOf(file: string): Place | undefined {
  const match = namePattern.exec(path.basename(file));
  if (!match) return undefined;
  const [, kind = '', date, hour = 0, number] = match;
  return { kind: kind.toUpperCase(), date: Number(date), hour: Number(hour), number: Number(number) };
}

function compare(a: Place, b: Place): number {
  return a.date - b.date || a.hour - b.hour || a.number - b.number || Number(a.kind > b.kind) - Number(a.kind < b.kind);
}
