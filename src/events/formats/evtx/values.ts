/** The typed values of BinXML as text, in the spelling that Windows uses when it renders them. */

/** Type codes as they stand in a value descriptor; an array of a type has `arrayOf` added. */
export const valueType = {
  none: 0x00,
  string: 0x01,
  ansi: 0x02,
  int8: 0x03,
  uint8: 0x04,
  int16: 0x05,
  uint16: 0x06,
  int32: 0x07,
  uint32: 0x08,
  int64: 0x09,
  uint64: 0x0a,
  float: 0x0b,
  double: 0x0c,
  boolean: 0x0d,
  binary: 0x0e,
  guid: 0x0f,
  sizeT: 0x10,
  fileTime: 0x11,
  systemTime: 0x12,
  sid: 0x13,
  hex32: 0x14,
  hex64: 0x15,
  binXml: 0x21,
} as const;
export const arrayOf = 0x80;

/** Bytes of one value of a type; undefined when it varies. */
export function fixedSizeOf(type: number): number | undefined {
  return fixedSizes.get(type);
}

/**
 * One value as text; bytes that do not fit the type give hexadecimal digits, so that nothing is lost.
 * @throws RangeError when the value does not lie within `bytes`
 */
export function textOfValue(bytes: Buffer, type: number, at: number, size: number): string {
  if (at + size > bytes.length) throw new RangeError('value beyond the chunk');
  if (type === valueType.string) return withoutNul(bytes.toString('utf16le', at, at + size));
  if (type === valueType.none || size === 0) return '';
  if (type === valueType.ansi) return withoutNul(bytes.toString('latin1', at, at + size));
  if (type === valueType.sizeT)
    return size === 8 ? hex64(bytes, at) : hexNumber(bytes.readUIntLE(at, Math.min(size, 6)));
  if (type === valueType.sid) return sidText(bytes, at, size);
  const render = renderers.get(type);
  return render && size === fixedSizeOf(type) ? render(bytes, at) : bytes.toString('hex', at, at + size).toUpperCase();
}

/** The members of an array value; strings in it end with a NUL each. */
export function textsOfArray(bytes: Buffer, type: number, at: number, size: number): string[] {
  if (at + size > bytes.length) throw new RangeError('value beyond the chunk');
  if (size === 0) return [];
  const member = type & ~arrayOf;
  if (member === valueType.string) return split(bytes.toString('utf16le', at, at + size));
  if (member === valueType.ansi) return split(bytes.toString('latin1', at, at + size));
  const step = fixedSizeOf(member);
  if (step === undefined || size % step !== 0) return [textOfValue(bytes, valueType.binary, at, size)];
  return Array.from({ length: size / step }, (_, index) => textOfValue(bytes, member, at + index * step, step));
}

/** A whole-number value; undefined when the type is not one. */
export function numberOfValue(bytes: Buffer, type: number, at: number, size: number): number | undefined {
  if (type === valueType.uint16 && size === 2) return bytes.readUInt16LE(at);
  if ((type === valueType.uint64 || type === valueType.hex64) && size === 8) return uint64(bytes, at);
  if ((type === valueType.uint32 || type === valueType.hex32) && size === 4) return bytes.readUInt32LE(at);
  if (type === valueType.uint8 && size === 1) return bytes.readUInt8(at);
  const text = textOfValue(bytes, type, at, size);
  return /^-?\d{1,16}$/.test(text) ? Number(text) : undefined;
}

/** An unsigned 64-bit number; not exact above 2^53. */
export function uint64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x1_0000_0000;
}

/** A FILETIME (100 ns since 1601) as whole milliseconds since 1970 UTC; undefined when no date can hold it. */
export function unixMsOfFileTime(bytes: Buffer, at: number): number | undefined {
  const ms = Number(bytes.readBigUInt64LE(at) / 10_000n) - 11_644_473_600_000;
  return Math.abs(ms) <= 8_640_000_000_000_000 ? ms : undefined;
}

type Render = (bytes: Buffer, at: number) => string;

const renderers: ReadonlyMap<number, Render> = new Map<number, Render>([
  [valueType.int8, (bytes, at) => String(bytes.readInt8(at))],
  [valueType.uint8, (bytes, at) => String(bytes.readUInt8(at))],
  [valueType.int16, (bytes, at) => String(bytes.readInt16LE(at))],
  [valueType.uint16, (bytes, at) => String(bytes.readUInt16LE(at))],
  [valueType.int32, (bytes, at) => String(bytes.readInt32LE(at))],
  [valueType.uint32, (bytes, at) => String(bytes.readUInt32LE(at))],
  [valueType.int64, (bytes, at) => String(bytes.readBigInt64LE(at))],
  [valueType.uint64, (bytes, at) => String(bytes.readBigUInt64LE(at))],
  [valueType.float, (bytes, at) => String(bytes.readFloatLE(at))],
  [valueType.double, (bytes, at) => String(bytes.readDoubleLE(at))],
  [valueType.boolean, (bytes, at) => String(bytes.readUInt32LE(at) !== 0)],
  [valueType.guid, guidText],
  [valueType.fileTime, fileTimeText],
  [valueType.systemTime, systemTimeText],
  [valueType.hex32, (bytes, at) => hexNumber(bytes.readUInt32LE(at))],
  [valueType.hex64, hex64],
]);

const fixedSizes: ReadonlyMap<number, number> = new Map<number, number>([
  [valueType.int8, 1],
  [valueType.uint8, 1],
  [valueType.int16, 2],
  [valueType.uint16, 2],
  [valueType.int32, 4],
  [valueType.uint32, 4],
  [valueType.int64, 8],
  [valueType.uint64, 8],
  [valueType.float, 4],
  [valueType.double, 8],
  [valueType.boolean, 4],
  [valueType.guid, 16],
  [valueType.fileTime, 8],
  [valueType.systemTime, 16],
  [valueType.hex32, 4],
  [valueType.hex64, 8],
]);

function withoutNul(text: string): string {
  return text.endsWith('\0') ? text.slice(0, -1) : text;
}

function split(text: string): string[] {
  return withoutNul(text).split('\0');
}

function hexNumber(value: number): string {
  return `0x${value.toString(16)}`;
}

function hex64(bytes: Buffer, at: number): string {
  return `0x${bytes.readBigUInt64LE(at).toString(16)}`;
}

function guidText(bytes: Buffer, at: number): string {
  const hex = (from: number, to: number): string => bytes.toString('hex', at + from, at + to);
  const reversed = (from: number, to: number): string =>
    Buffer.from(bytes.subarray(at + from, at + to))
      .reverse()
      .toString('hex');
  return `{${reversed(0, 4)}-${reversed(4, 6)}-${reversed(6, 8)}-${hex(8, 10)}-${hex(10, 16)}}`.toUpperCase();
}

function fileTimeText(bytes: Buffer, at: number): string {
  const ms = unixMsOfFileTime(bytes, at);
  return ms === undefined ? String(bytes.readBigUInt64LE(at)) : new Date(ms).toISOString();
}

function systemTimeText(bytes: Buffer, at: number): string {
  const field = (index: number): number => bytes.readUInt16LE(at + index * 2);
  const ms = Date.UTC(field(0), field(1) - 1, field(3), field(4), field(5), field(6), field(7));
  return Number.isFinite(ms) ? new Date(ms).toISOString() : bytes.toString('hex', at, at + 16);
}

/** `S-1-5-18`: revision, 48-bit authority (big endian), then up to 255 sub-authorities. */
function sidText(bytes: Buffer, at: number, size: number): string {
  const count = size >= 8 ? bytes.readUInt8(at + 1) : 0;
  if (size < 8 + count * 4) return bytes.toString('hex', at, at + size);
  const parts = Array.from({ length: count }, (_, index) => bytes.readUInt32LE(at + 8 + index * 4));
  return ['S', bytes.readUInt8(at), bytes.readUIntBE(at + 2, 6), ...parts].join('-');
}
