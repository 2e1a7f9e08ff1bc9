/** Says what a file is that no format recognises, and what to do with it: by its first bytes, before a line has ended. */
import { hasBareReturns } from '../../read/text.js';
import { shownPath } from './file-names.js';

/**
 * First bytes, what they are and what to do. Sources: RFC 1952 (gzip), RFC 8878 (zstd), the XZ, LZ4, bzip2, 7-Zip and
 * ZIP formats, [MS-CFB], [MS-EVEN6] (.evtx) and [MS-EVEN] (.evt), RFC 2152 (UTF-7), The Unicode Standard 23.8 (UTF-32).
 */
const kinds: readonly (readonly [bytes: readonly number[] | string, what: string])[] = [
  [[0xff, 0xfe, 0, 0], 'utf32'],
  [[0, 0, 0xfe, 0xff], 'utf32'],
  ['+/v8', 'utf7'],
  ['+/v9', 'utf7'],
  ['+/v+', 'utf7'],
  ['+/v/', 'utf7'],
  [[0x1f, 0x8b], 'gzip'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], 'xz'],
  [[0x04, 0x22, 0x4d, 0x18], 'lz4'],
  ['BZh', 'bzip2'],
  ['PK\x03\x04', 'zip'],
  ['PK\x05\x06', 'zip'],
  [[0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], '7-Zip'],
  ['Rar!\x1a', 'RAR'],
  ['MSCF', 'CAB'],
  ['-----BEGIN PGP MESSAGE', 'encrypted (PGP)'],
  ['age-encryption.org/', 'encrypted (age)'],
  ['-----BEGIN AGE ENCRYPTED', 'encrypted (age)'],
  ['Salted__', 'encrypted (OpenSSL)'],
  ['$ANSIBLE_VAULT', 'encrypted (Ansible Vault)'],
  [[0x30, 0, 0, 0, 0x4c, 0x66, 0x4c, 0x65], 'evt'],
  [[0xd0, 0xcf, 0x11, 0xe0], 'office'],
];

const remedies: Readonly<Record<string, string>> = {
  utf32: 'text in UTF-32, which is not read; write it in UTF-8 or UTF-16',
  utf7: 'text in UTF-7, which is not read; write it in UTF-8 or UTF-16',
  ebcdic: 'text in EBCDIC, which is not read; convert it to UTF-8',
  evt: 'an event log of Windows before Vista (.evt), which is not read; export it as .evtx or XML',
  office: 'a document of an office program, which is not read; export events as text or .evtx',
};

/** `<?xml`, `<Event`, `{"`, `#So` and a date, in the code pages that IBM calls 037 and 1047. */
const ebcdicHeads = ['4c6fa79493', '4cc5a58595a3', 'c07f', '7be2969', 'f2f0f2'];

/** @returns what is wrong with a file that begins like this, with the remedy; undefined when its bytes do not tell */
export function foreignProblem(path: string, bytes: Buffer): string | undefined {
  const what = foreignKind(bytes);
  if (what === undefined) return undefined;
  const unread = what.startsWith('encrypted') ? `${what}, which is not read; decrypt it` : undefined;
  return `${shownPath(path)}: ${remedies[what] ?? unread ?? `compressed (${what}), which is not read; unpack it`}`;
}

function foreignKind(bytes: Buffer): string | undefined {
  const known = kinds.find(([begin]) => startsWith(bytes, begin));
  if (known) return known[1];
  if (isAsciiBesideNuls(bytes, 0) || isAsciiBesideNuls(bytes, 3)) return 'utf32';
  const head = bytes.toString('hex', 0, 16);
  return ebcdicHeads.some((each) => head.startsWith(each)) ? 'ebcdic' : undefined;
}

function startsWith(bytes: Buffer, begin: readonly number[] | string): boolean {
  const wanted = typeof begin === 'string' ? Buffer.from(begin, 'latin1') : Buffer.from(begin);
  return bytes.subarray(0, wanted.length).equals(wanted);
}

/** UTF-32 without a mark: three of four bytes are NUL, for exports begin in ASCII. */
function isAsciiBesideNuls(bytes: Buffer, ascii: number): boolean {
  if (bytes.length < 16) return false;
  return bytes.subarray(0, 16).every((byte, at) => (at % 4 === ascii ? byte !== 0 : byte === 0));
}

/** @returns the same for what is left when its first bytes tell nothing */
export function unknownProblem(path: string, bytes: Buffer, text: string): string {
  const at = shownPath(path);
  if (bytes.subarray(0, 512).every((byte) => byte === 0))
    return `${at}: filled with NUL bytes, as after a crash or with preallocated space; it is read once there are records at its beginning`;
  if (isBinary(bytes))
    return `${at}: binary content that is not an event log; expected exported events as text or .evtx`;
  if (hasBareReturns(text)) return `${at}: ${bareReturns}`;
  return `${at}: no known format; expected exported Windows events (see the table of formats in the README)`;
}

export const bareReturns =
  'its lines end in a carriage return alone, which is not supported; write it with line feeds (LF or CRLF)';

export function isBinary(bytes: Buffer): boolean {
  return bytes.subarray(0, 512).some((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== 27));
}
