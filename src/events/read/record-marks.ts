/** Finds record ID and names of the log of a record by their marks, without decoding it. */
import { numberAt, placesOf, textSpan, type Mark } from './marks.js';

/** Where record ID, channel and computer stand in the bytes of a record. */
export type RecordMarks = { readonly recordId: Mark; readonly channel: Mark; readonly computer: Mark };

export type Span = readonly [start: number, end: number];

/** Records are asked for in ascending order. */
export type MarkReader = {
  /** -1 where there is none, or where it cannot be told. */
  readonly recordId: (start: number, end: number) => number;
  readonly computer: (start: number, end: number) => Span | undefined;
  readonly channel: (start: number, end: number) => Span | undefined;
};

export function markReader(bytes: Buffer, marks: RecordMarks): MarkReader {
  const recordId = onlyPlace(bytes, marks.recordId);
  return {
    recordId: (start, end) => {
      const at = recordId(start, end);
      const id = at < 0 ? -1 : numberAt(bytes, at, marks.recordId);
      return id > 0 && Number.isSafeInteger(id) ? id : -1;
    },
    computer: nameAt(bytes, marks.computer),
    channel: nameAt(bytes, marks.channel),
  };
}

function nameAt(bytes: Buffer, mark: Mark): (start: number, end: number) => Span | undefined {
  if (!('after' in mark)) return () => undefined;
  const find = onlyPlace(bytes, mark);
  return (start, end) => {
    const at = find(start, end);
    return at < 0 ? undefined : textSpan(bytes, at + mark.after.length, end);
  };
}

/** The only place of a mark in a record; -1 when there is none or more than one. */
function onlyPlace(bytes: Buffer, mark: Mark): (start: number, end: number) => number {
  const next = placesOf(bytes, mark);
  let at = next(0);
  return (start, end) => {
    while (at >= 0 && at < start) at = next(start);
    const place = at;
    if (place < 0 || place >= end) return -1;
    at = next(place + 1);
    return at >= 0 && at < end ? -1 : place;
  };
}

/** Whether exactly these bytes stand there. */
export function holds(bytes: Buffer, [start, end]: Span, text: Buffer): boolean {
  if (end - start !== text.length) return false;
  for (let n = 0; n < text.length; n++) if (bytes[start + n] !== text[n]) return false;
  return true;
}
