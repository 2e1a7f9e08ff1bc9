/**
 * Writes binary logs (.evtx) for tests, in the layout that Windows writes: 64 KiB chunks with tables of names and
 * templates, classic events as template instances, forwarded events as plain elements, circular and dirty logs.
 */
import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

export type LogEvent = {
  provider?: string;
  eventId?: number;
  qualifiers?: number;
  channel?: string;
  computer?: string;
  /** Milliseconds since 1970 UTC. */
  time?: number;
  /** Unnamed insertion strings. */
  strings?: readonly string[];
  /** Named values instead of strings; a number becomes a 32-bit value. */
  named?: Readonly<Record<string, string | number>>;
  /** One Data element that shows the same value so many times: no honest template does. */
  repeated?: { readonly text: string; readonly times: number };
  /** `forwarded`: a plain element without a template, as a collector writes it. */
  form?: 'classic' | 'modern' | 'forwarded';
  /** Number given by the computer of origin, where it is not that of this log. */
  originRecordId?: number;
  /** Text in RenderingInfo (forwarded only). */
  message?: string;
};

export type LogOptions = {
  maxChunks?: number;
  /** Grow by 16 chunks at a time, zeros until used, as a live log does. */
  preallocate?: boolean;
  checksums?: boolean;
  /** A chunk used again keeps the bytes of its earlier use behind its last record. */
  leftovers?: boolean;
  firstId?: number;
};

export type Log = {
  readonly options: LogOptions;
  readonly slots: ChunkBuilder[];
  current: number;
  nextId: number;
  nextNumber: number;
};

export const fileHeaderSize = 4096;
export const chunkSize = 65_536;

export function createLog(options: LogOptions = {}): Log {
  const firstId = options.firstId ?? 1;
  return { options, slots: [createChunk()], current: 0, nextId: firstId, nextNumber: 1 };
}

/** Adds an event; returns the record ID it got. */
export function addEvent(log: Log, event: LogEvent): number {
  const id = log.nextId;
  if (!addRecord(log.slots[log.current]!, id, log.nextNumber, event)) {
    log.current = (log.current + 1) % (log.options.maxChunks ?? Number.MAX_SAFE_INTEGER);
    log.slots[log.current] = createChunk(log.options.leftovers ? log.slots[log.current]?.bytes : undefined);
    if (!addRecord(log.slots[log.current]!, id, log.nextNumber, event)) throw new Error('event larger than a chunk');
  }
  log.nextId++;
  log.nextNumber++;
  return id;
}

/** The whole file. A dirty one keeps the header of its last clean close: one chunk, next record 1. */
export function imageOf(log: Log, state: 'clean' | 'dirty' = 'clean'): Buffer {
  const image = Buffer.alloc(fileSize(log));
  fileHeader(log, state).copy(image);
  log.slots.forEach((chunk, slot) => sealed(log, chunk).copy(image, fileHeaderSize + slot * chunkSize));
  return image;
}

/** Writes what is new to an open file in place, as the service does while the log is live. */
export function flush(log: Log, fd: number): void {
  writeSync(fd, fileHeader(log, 'dirty'), 0, fileHeaderSize, 0);
  const size = fileSize(log);
  log.slots.forEach((chunk, slot) => {
    if (!chunk.changed) return;
    chunk.changed = false;
    writeSync(fd, sealed(log, chunk), 0, chunkSize, fileHeaderSize + slot * chunkSize);
  });
  if (log.options.preallocate) writeSync(fd, Buffer.alloc(1), 0, 1, size - 1);
}

/** Offset in the file of each record of the log, by record ID. */
export function offsetsOf(log: Log): Map<number, number> {
  const offsets = new Map<number, number>();
  log.slots.forEach((chunk, slot) => {
    for (const [id, offset] of chunk.offsets) offsets.set(id, fileHeaderSize + slot * chunkSize + offset);
  });
  return offsets;
}

type ChunkBuilder = {
  readonly bytes: Buffer;
  end: number;
  readonly names: Map<string, number>;
  readonly templates: Map<string, number>;
  readonly offsets: Map<number, number>;
  numbers: [number, number];
  ids: [number, number];
  lastOffset: number;
  changed: boolean;
};

type Text = string | { sub: number; type: number } | { entity: string };
type Node = { name: string; attributes?: [string, Text[]][]; depends?: number; children?: (Node | Text)[] };
type Value = [type: number, bytes: Buffer];
type Pen = { readonly chunk: ChunkBuilder; at: number };

const recordsStart = 512;
const fragmentHeader = Buffer.from([0x0f, 1, 1, 0]);
const namespace: [string, Text[]] = ['xmlns', ['http://schemas.microsoft.com/win/2004/08/events/event']];

function createChunk(leftovers?: Buffer): ChunkBuilder {
  const bytes = leftovers ? Buffer.from(leftovers) : Buffer.alloc(chunkSize);
  const empty = {
    names: new Map<string, number>(),
    templates: new Map<string, number>(),
    offsets: new Map<number, number>(),
  };
  return { bytes, end: recordsStart, ...empty, numbers: [1, 0], ids: [1, 0], lastOffset: 0, changed: true };
}

function fileSize(log: Log): number {
  const used = log.slots.length;
  const slots = log.options.preallocate && used > 1 ? 1 + Math.ceil((used - 1) / 16) * 16 : used;
  return fileHeaderSize + Math.min(slots, Math.max(used, log.options.maxChunks ?? slots)) * chunkSize;
}

function fileHeader(log: Log, state: 'clean' | 'dirty'): Buffer {
  const header = Buffer.alloc(fileHeaderSize);
  const clean = state === 'clean';
  header.write('ElfFile\0', 'latin1');
  header.writeBigUInt64LE(BigInt(clean ? log.current : 0), 16);
  header.writeBigUInt64LE(BigInt(clean ? log.nextNumber : 1), 24);
  [128, 1 | (3 << 16), fileHeaderSize | ((clean ? log.slots.length : 1) << 16)].forEach((word, index) =>
    header.writeUInt32LE(word >>> 0, 32 + index * 4),
  );
  header.writeUInt32LE((clean ? 0 : 1) | (log.options.checksums === false ? 4 : 0), 120);
  header.writeUInt32LE(crc32(header.subarray(0, 120)), 124);
  return header;
}

function sealed(log: Log, chunk: ChunkBuilder): Buffer {
  const { bytes } = chunk;
  bytes.fill(0, 0, recordsStart);
  bytes.write('ElfChnk\0', 'latin1');
  [...chunk.numbers, ...chunk.ids].forEach((value, index) => bytes.writeBigInt64LE(BigInt(value), 8 + index * 8));
  [128, chunk.lastOffset, chunk.end].forEach((value, index) => bytes.writeUInt32LE(value, 40 + index * 4));
  for (const [name, offset] of chunk.names) {
    bytes.writeUInt16LE(hash(Buffer.from(name, 'utf16le')) & 0xffff, offset + 4);
    link(bytes, 128 + ((hash(Buffer.from(name, 'utf16le')) & 0xffff) % 64) * 4, offset);
  }
  for (const offset of chunk.templates.values()) {
    link(bytes, 384 + (hash(bytes.subarray(offset + 4, offset + 20)) % 32) * 4, offset);
  }
  bytes.writeUInt32LE(1, 120);
  if (log.options.checksums === false) return bytes;
  bytes.writeUInt32LE(crc32(bytes.subarray(recordsStart, chunk.end)), 52);
  bytes.writeUInt32LE(crc32(bytes.subarray(128, 512), crc32(bytes.subarray(0, 120))), 124);
  return bytes;
}

/** Puts a name or template at the head of the list of its bucket. */
function link(bytes: Buffer, bucket: number, offset: number): void {
  bytes.writeUInt32LE(bytes.readUInt32LE(bucket), offset);
  bytes.writeUInt32LE(offset, bucket);
}

function hash(words: Buffer): number {
  let value = 0;
  for (let at = 0; at < words.length; at += 2) value = (Math.imul(value, 65_599) + words.readUInt16LE(at)) >>> 0;
  return value;
}

/** Appends a record; false when the chunk is full. */
function addRecord(chunk: ChunkBuilder, id: number, number: number, event: LogEvent): boolean {
  const start = chunk.end;
  const pen: Pen = { chunk, at: start };
  const time = fileTime(event.time ?? 0);
  try {
    put(pen, Buffer.from([0x2a, 0x2a, 0, 0, 0, 0, 0, 0]), u64(BigInt(id)), u64(time), fragmentHeader);
    if (event.form === 'forwarded') {
      putNode(pen, forwardedTree(event, id), false);
      put(pen, Buffer.from([0]));
    } else putClassic(pen, event, id);
    put(pen, Buffer.alloc((8 - ((pen.at + 4 - start) % 8)) % 8));
    const size = pen.at + 4 - start;
    put(pen, u32(size));
    chunk.bytes.writeUInt32LE(size, start + 4);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    for (const known of [chunk.names, chunk.templates]) {
      for (const [key, offset] of known) if (offset >= start) known.delete(key);
    }
    chunk.bytes.fill(0, start);
    return false;
  }
  if (start === recordsStart) [chunk.numbers[0], chunk.ids[0]] = [number, id];
  [chunk.numbers[1], chunk.ids[1]] = [number, id];
  Object.assign(chunk, { lastOffset: start, end: pen.at, changed: true });
  chunk.offsets.set(id, start);
  return true;
}

/** Values 0 to 19 of a classic event, in the order in which Windows numbers them. */
function putClassic(pen: Pen, event: LogEvent, id: number): void {
  const none: Value = [0, Buffer.alloc(0)];
  const nested = Buffer.alloc(0);
  const values: Value[] = [
    [4, Buffer.from([3])],
    [4, Buffer.from([0])],
    [6, u16(2)],
    [6, u16(event.eventId ?? 2002)],
    [6, u16(event.qualifiers ?? 32_772)],
    [0x15, u64(0x80000000000000n)],
    [0x11, u64(fileTime(event.time ?? 0))],
    none,
    [8, u32(412)],
    [8, u32(500)],
    [0x0a, u64(BigInt(event.originRecordId ?? id))],
    [4, Buffer.from([0])],
    ...Array.from({ length: 7 }, () => none),
    [0x21, nested],
  ];
  const key = JSON.stringify(['event', event.form, event.provider, event.channel, event.computer]);
  putInstance(pen, key, systemTree(event), values, () => {
    put(pen, fragmentHeader);
    if (event.repeated) putRepeated(pen, event.repeated.text, event.repeated.times);
    else if (event.named) putNamed(pen, event.named);
    else putStrings(pen, event.strings ?? []);
  });
}

function putStrings(pen: Pen, strings: readonly string[]): void {
  const tree: Node = {
    name: 'EventData',
    children: [
      { name: 'Data', depends: 0, children: [{ sub: 0, type: 0x81 }] },
      { name: 'Binary', depends: 2, children: [{ sub: 2, type: 0x0e }] },
    ],
  };
  const joined = Buffer.from(strings.map((text) => `${text}\0`).join(''), 'utf16le');
  const none: Value = [0, Buffer.alloc(0)];
  putInstance(pen, 'strings', tree, [strings.length > 0 ? [0x81, joined] : none, [8, u32(0)], none]);
}

function putNamed(pen: Pen, named: Readonly<Record<string, string | number>>): void {
  const entries = Object.entries(named);
  const children = entries.map(([name, value], sub): Node => {
    return {
      name: 'Data',
      attributes: [['Name', [name]]],
      children: [{ sub, type: typeof value === 'string' ? 1 : 8 }],
    };
  });
  const values = entries.map(([, value]): Value => {
    return typeof value === 'string' ? [1, Buffer.from(value, 'utf16le')] : [8, u32(value)];
  });
  putInstance(pen, JSON.stringify(Object.keys(named)), { name: 'EventData', children }, values);
}

function putRepeated(pen: Pen, text: string, times: number): void {
  const children = Array.from({ length: times }, (): Text => ({ sub: 0, type: 1 }));
  const tree: Node = { name: 'EventData', children: [{ name: 'Data', children }] };
  putInstance(pen, `repeated ${times}`, tree, [[1, Buffer.from(text, 'utf16le')]]);
}

function systemTree(event: LogEvent): Node {
  const element = (name: string, sub: number, type: number): Node => ({
    name,
    depends: sub,
    children: [{ sub, type }],
  });
  const modern = event.form === 'modern';
  const system: Node[] = [
    { name: 'Provider', attributes: [['Name', [event.provider ?? 'MSExchangeTransport']]] },
    { ...element('EventID', 3, 6), attributes: [['Qualifiers', [{ sub: 4, type: 6 }]]] },
    ...(modern ? [element('Version', 11, 4)] : []),
    element('Level', 0, 4),
    element('Task', 2, 6),
    ...(modern ? [element('Opcode', 1, 4)] : []),
    element('Keywords', 5, 0x15),
    { name: 'TimeCreated', attributes: [['SystemTime', [{ sub: 6, type: 0x11 }]]] },
    element('EventRecordID', 10, 0x0a),
    { name: 'Channel', children: [event.channel ?? 'Application'] },
    { name: 'Computer', children: [event.computer ?? 'EX01.contoso.example'] },
    { name: 'Security', attributes: [['UserID', [{ sub: 12, type: 0x13 }]]] },
  ];
  const data: Text = { sub: 19, type: 0x21 };
  return { name: 'Event', attributes: [namespace], children: [{ name: 'System', children: system }, data] };
}

/** All text, as the forwarder rendered it; `&` and `<` are entities. */
function forwardedTree(event: LogEvent, id: number): Node {
  const leaf = (name: string, text: string): Node => ({ name, children: withEntities(text) });
  const data = event.named
    ? Object.entries(event.named).map(([name, value]): Node => {
        return { ...leaf('Data', String(value)), attributes: [['Name', [name]]] };
      })
    : (event.strings ?? []).map((text) => leaf('Data', text));
  const system: Node[] = [
    { name: 'Provider', attributes: [['Name', withEntities(event.provider ?? 'MSExchangeTransport')]] },
    {
      ...leaf('EventID', String(event.eventId ?? 2002)),
      attributes: [['Qualifiers', [String(event.qualifiers ?? 32_772)]]],
    },
    leaf('Level', '3'),
    {
      name: 'TimeCreated',
      attributes: [['SystemTime', [new Date(event.time ?? 0).toISOString().replace('Z', '1234Z')]]],
    },
    leaf('EventRecordID', String(event.originRecordId ?? id)),
    leaf('Channel', event.channel ?? 'Application'),
    leaf('Computer', event.computer ?? 'EX01.contoso.example'),
    { name: 'Security' },
  ];
  const children: Node[] = [
    { name: 'System', children: system },
    { name: 'EventData', children: data },
  ];
  if (event.message !== undefined) {
    children.push({
      name: 'RenderingInfo',
      attributes: [['Culture', ['de-DE']]],
      children: [leaf('Message', event.message), leaf('Level', 'Warnung')],
    });
  }
  return { name: 'Event', attributes: [namespace], children };
}

function withEntities(text: string): Text[] {
  const entities: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt' };
  return text
    .split(/([&<])/)
    .filter((piece) => piece !== '')
    .map((piece) => (entities[piece] ? { entity: entities[piece] } : piece));
}

/** Token, 1, template ID, offset of the definition, [definition], count, descriptors, values. */
function putInstance(pen: Pen, key: string, tree: Node, values: readonly Value[], last?: () => void): void {
  const { chunk } = pen;
  const guid = createHash('md5').update(key).digest();
  put(pen, Buffer.from([0x0c, 1]), guid.subarray(0, 4));
  const known = chunk.templates.get(key);
  put(pen, u32(known ?? pen.at + 4));
  if (known === undefined) {
    chunk.templates.set(key, pen.at);
    put(pen, u32(0), guid);
    sized(pen, () => {
      put(pen, fragmentHeader);
      putNode(pen, tree, true);
      put(pen, Buffer.from([0]));
    });
  }
  put(pen, u32(values.length));
  const descriptors = pen.at;
  for (const [type, bytes] of values) put(pen, u16(bytes.length), Buffer.from([type, 0]));
  for (const [, bytes] of values) put(pen, bytes);
  if (last) {
    const from = pen.at;
    last();
    chunk.bytes.writeUInt16LE(pen.at - from, descriptors + (values.length - 1) * 4);
  }
  put(pen, Buffer.from([0]));
}

function putNode(pen: Pen, node: Node, inTemplate: boolean): void {
  const { attributes = [], children = [] } = node;
  put(pen, Buffer.from([attributes.length > 0 ? 0x41 : 0x01]));
  if (inTemplate) put(pen, u16(node.depends ?? 0xffff));
  sized(pen, () => {
    putName(pen, node.name);
    if (attributes.length > 0) {
      sized(pen, () => {
        attributes.forEach(([name, texts], index) => {
          put(pen, Buffer.from([index + 1 < attributes.length ? 0x46 : 0x06]));
          putName(pen, name);
          for (const text of texts) putText(pen, text);
        });
      });
    }
    if (children.length === 0) {
      put(pen, Buffer.from([0x03]));
      return;
    }
    put(pen, Buffer.from([0x02]));
    for (const child of children) {
      if (typeof child === 'object' && 'name' in child) putNode(pen, child, inTemplate);
      else putText(pen, child);
    }
    put(pen, Buffer.from([0x04]));
  });
}

function putText(pen: Pen, text: Text): void {
  if (typeof text === 'string') put(pen, Buffer.from([0x05, 0x01]), u16(text.length), Buffer.from(text, 'utf16le'));
  else if ('entity' in text) {
    put(pen, Buffer.from([0x09]));
    putName(pen, text.entity);
  } else put(pen, Buffer.from([0x0e]), u16(text.sub), Buffer.from([text.type]));
}

/** The offset of a name; where it is used first it stands right behind. */
function putName(pen: Pen, name: string): void {
  const known = pen.chunk.names.get(name);
  put(pen, u32(known ?? pen.at + 4));
  if (known !== undefined) return;
  pen.chunk.names.set(name, pen.at);
  put(pen, u32(0), u16(0), u16(name.length), Buffer.from(`${name}\0`, 'utf16le'));
}

function sized(pen: Pen, write: () => void): void {
  const at = pen.at;
  put(pen, u32(0));
  write();
  pen.chunk.bytes.writeUInt32LE(pen.at - at - 4, at);
}

function put(pen: Pen, ...parts: readonly Buffer[]): void {
  for (const part of parts) {
    if (pen.at + part.length > chunkSize) throw new RangeError('chunk is full');
    part.copy(pen.chunk.bytes, pen.at);
    pen.at += part.length;
  }
}

function fileTime(ms: number): bigint {
  return (BigInt(ms) + 11_644_473_600_000n) * 10_000n;
}

function u16(value: number): Buffer {
  return Buffer.from([value & 255, (value >> 8) & 255]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes;
}
