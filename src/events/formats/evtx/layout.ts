/**
 * Where the parts of an event stand in a piece of BinXML: as literal text, or as the number of a substitution.
 * A template definition is looked through once per chunk; after that a record is a few look-ups.
 */
import { UnreadableRecord } from '../../decode/unreadable.js';
import {
  type ChunkText,
  type Found,
  type Layout,
  type Look,
  type Part,
  type Place,
  places,
  spend,
} from './layout-parts.js';
import { arrayOf, fixedSizeOf, textOfValue, valueType } from './values.js';

/**
 * Looks through a fragment or element.
 * @param dependencyIds true inside a template definition, where elements carry two bytes more
 * @param goOn asked once the event ID is known; false ends the look, with what was found until then
 * @throws UnreadableRecord or RangeError when it is not well formed
 */
export function layoutOf(
  chunk: ChunkText,
  range: { readonly from: number; readonly to: number },
  place: Place,
  dependencyIds: boolean,
  goOn: (eventId: Part) => boolean = () => true,
): Layout {
  const look: Look = {
    chunk,
    at: range.from,
    to: range.to,
    dependencyIds,
    paths: [place],
    target: undefined,
    found: empty(),
  };
  while (look.at < look.to) {
    spend(chunk, 1);
    const token = chunk.bytes.readUInt8(look.at++);
    const read = readers[token & ~moreFollows];
    if (token === endOfFragment) break;
    if (read === undefined) throw new UnreadableRecord('damaged', `unknown BinXML token ${token}`);
    read(look, (token & moreFollows) !== 0);
    if (token === endElement && look.eventIdEnded) {
      look.eventIdEnded = false;
      if (look.found.eventId && !goOn(look.found.eventId)) break;
    }
  }
  return look.found;
}

const moreFollows = 0x40;

const endOfFragment = 0x00;

const endElement = 0x04;

const deepest = 32;

/** One reader for each token; the token itself has been read. Index = token. */
const readers: readonly (((look: Look, more: boolean) => void) | undefined)[] = [
  undefined,
  openElement,
  beginContent,
  closeEmptyElement,
  closeElement,
  readLiteral,
  beginAttribute,
  readSizedText, // CDATA section
  readCharacterReference,
  readEntityReference,
  (look) => void readName(look), // target of a processing instruction
  skipSizedText, // its data
  undefined, // a template instance stands only at the beginning of a fragment
  readSubstitution,
  readSubstitution, // optional: left out by Windows when it has no value
  (look) => void (look.at += 3), // fragment header: version and flags
];

const fieldOfPath: Readonly<Record<string, keyof Omit<Layout, 'data'>>> = {
  '/Event/System/Provider@Name': 'provider',
  '/Event/System/EventID': 'eventId',
  '/Event/System/Channel': 'channel',
  '/Event/System/Computer': 'computer',
  '/Event/System/EventRecordID': 'recordId',
  '/Event/System/TimeCreated@SystemTime': 'time',
  '/Event/RenderingInfo/Message': 'message',
};

function empty(): Found {
  return {
    provider: undefined,
    eventId: undefined,
    channel: undefined,
    computer: undefined,
    recordId: undefined,
    time: undefined,
    message: undefined,
    data: [],
  };
}

function openElement(look: Look, hasAttributes: boolean): void {
  look.at += look.dependencyIds ? 6 : 4; // and the size, which the end token tells as well
  const path = `${pathOf(look)}/${readName(look)}`;
  if (look.paths.length > deepest) throw new UnreadableRecord('damaged', `elements nested deeper than ${deepest}`);
  look.paths.push(path);
  look.target = undefined;
  if (hasAttributes) look.at += 4; // size of the attribute list
}

function beginAttribute(look: Look): void {
  look.target = targetOf(look, `${pathOf(look)}@${readName(look)}`);
}

function beginContent(look: Look): void {
  look.target = targetOf(look, pathOf(look));
}

function closeEmptyElement(look: Look): void {
  beginContent(look);
  closeElement(look);
}

function closeElement(look: Look): void {
  if (look.paths.length < 2) throw new UnreadableRecord('damaged', 'an element ends that did not begin');
  look.eventIdEnded = pathOf(look) === '/Event/System/EventID';
  look.paths.pop();
  look.target = undefined;
}

function targetOf(look: Look, path: string): (string | number)[] | undefined {
  if (path === '/Event/EventData/Data') {
    const part: (string | number)[] = [];
    look.found.data.push(part);
    return part;
  }
  const field = fieldOfPath[path];
  return field === undefined ? undefined : (look.found[field] ??= []);
}

function pathOf(look: Look): string {
  return look.paths[look.paths.length - 1] ?? '';
}

/** A name stands at an offset of the chunk; when that is right here, it is stepped over as well. */
function readName(look: Look): string {
  const { bytes, names } = look.chunk;
  const offset = bytes.readUInt32LE(look.at);
  look.at += 4;
  if (offset === look.at) look.at += 10 + 2 * bytes.readUInt16LE(offset + 6);
  const known = names.get(offset);
  if (known !== undefined) return known;
  const length = bytes.readUInt16LE(offset + 6);
  if (length > 256) throw new UnreadableRecord('damaged', `name of ${length} characters`);
  const name = bytes.toString('utf16le', offset + 8, offset + 8 + 2 * length);
  names.set(offset, name);
  return name;
}

function readLiteral(look: Look): void {
  const type = look.chunk.bytes.readUInt8(look.at++);
  if (type === valueType.string) {
    readSizedText(look);
    return;
  }
  const size = fixedSizeOf(type);
  if (size === undefined) throw new UnreadableRecord('damaged', `literal value of type ${type}`);
  add(look, textOfValue(look.chunk.bytes, type, look.at, size));
  look.at += size;
}

function readSizedText(look: Look): void {
  const from = look.at + 2;
  skipSizedText(look);
  if (look.target) add(look, look.chunk.bytes.toString('utf16le', from, look.at));
}

function skipSizedText(look: Look): void {
  look.at += 2 + 2 * look.chunk.bytes.readUInt16LE(look.at);
  if (look.at > look.to) throw new UnreadableRecord('damaged', 'text beyond the end of its record');
}

function readCharacterReference(look: Look): void {
  add(look, String.fromCharCode(look.chunk.bytes.readUInt16LE(look.at)));
  look.at += 2;
}

function readEntityReference(look: Look): void {
  const name = readName(look);
  add(look, entities[name] ?? `&${name};`);
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function readSubstitution(look: Look): void {
  const index = look.chunk.bytes.readUInt16LE(look.at);
  const type = look.chunk.bytes.readUInt8(look.at + 2);
  look.at += 3;
  const { data } = look.found;
  const place = places.find((known) => known === pathOf(look));
  if ((type & arrayOf) !== 0 && look.target !== undefined && look.target === data[data.length - 1]) {
    data[data.length - 1] = { list: index };
  } else if (type === valueType.binXml && place !== undefined) data.push({ index, place });
  else look.target?.push(index);
}

function add(look: Look, text: string): void {
  spend(look.chunk, text.length);
  const { target } = look;
  if (target === undefined) return;
  const last = target[target.length - 1];
  if (typeof last === 'string') target[target.length - 1] = last + text;
  else target.push(text);
}
