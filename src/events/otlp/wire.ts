/** Walks over protobuf by its wire format, within bounds: a length that lies must not lead beyond the message. */
import type Pbf from 'pbf';
import { UnreadableRecord } from '../decode/unreadable.js';

/** A field of a message: its number, and where its content stands (of a length-delimited one, behind the length). */
export type Field = { readonly number: number; readonly type: number; readonly start: number; readonly end: number };

export const lengthDelimited = 2;

/**
 * Visits the fields of a message one after the other. Groups, which protobuf 3 does not have, are refused.
 * @param visit may move `pbf.pos`; it is put right afterwards
 * @throws UnreadableRecord `damaged`
 */
export function* fieldsOf(pbf: Pbf, start: number, end: number): Generator<Field, void, void> {
  pbf.pos = start;
  while (pbf.pos < end) {
    const at = pbf.pos;
    const tag = varintOf(pbf);
    const field = fieldAt(pbf, tag, end);
    if (tag >>> 3 === 0 || field === undefined) throw damaged(at);
    yield field;
    pbf.pos = field.end;
  }
}

/** @returns undefined when it does not fit */
function fieldAt(pbf: Pbf, tag: number, end: number): Field | undefined {
  const type = tag & 7;
  const number = tag >>> 3;
  const within = (start: number, length: number): Field | undefined =>
    length >= 0 && start + length <= end ? { number, type, start, end: start + length } : undefined;
  if (pbf.pos > end) return undefined;
  if (type === 0) {
    const start = pbf.pos;
    return Number.isNaN(varintOf(pbf)) ? undefined : within(start, pbf.pos - start);
  }
  if (type === 1) return within(pbf.pos, 8);
  if (type === 5) return within(pbf.pos, 4);
  if (type !== lengthDelimited) return undefined;
  const length = varintOf(pbf);
  return within(pbf.pos, length);
}

/** NaN for one of more than ten bytes. */
function varintOf(pbf: Pbf): number {
  try {
    return pbf.readVarint();
  } catch {
    return Number.NaN;
  }
}

function damaged(at: number): UnreadableRecord {
  return new UnreadableRecord('damaged', `expected protobuf of OTLP logs, got something else at byte ${at}`);
}
