/** `/api/v1/support-bundle`: what Microsoft's third user action asks for, as one zip without secrets. */
import { Zip, type ZipInputFile } from 'fflate';
import type { Breath } from '../../runtime/breath.js';
import { deflatedOf, type Deflated } from '../../metrics/page.js';
import { connectorsOf, destinationsOf, eventsOf, statusOf, visitOf } from './api.js';
import { piecesOf } from '../http/long-answers.js';
import { jsonPieces, many } from '../parts/long-list.js';
import type { PageContext } from '../pages/page.js';

const readme = `What this is: the evidence of send-connector-exporter, for whoever helps with event 2002.

status.json        every Send connector and destination: state, diagnosis, errors; the sources that are read
connectors.json    the same by Send connector
destinations.json  destinations with their latest probe, ping and path
visits.json        kept visits of every destination with their steps and conversations
events.json        errors and failures of the last day, and related events (DNS, TCP/IP, TLS, ...) of the servers
configuration.json the configuration in force; values that may be secrets are masked
versions.json      versions and platform

It holds names of your servers, connectors and destinations. It holds no mail, no address of a person and no password.
`;

/** Made piece by piece; between them the event loop is free for others. */
export async function supportBundle(page: PageContext, configuration: unknown, breathe: Breath): Promise<Buffer> {
  const versions = { exporter: page.version, node: process.version, platform: process.platform, arch: process.arch };
  const visits = page.board.entries().flatMap(({ destination }) => page.board.history(destination));
  const files: Readonly<Record<string, () => unknown>> = {
    'status.json': () => statusOf(page),
    'connectors.json': () => ({ connectors: connectorsOf(page) }),
    'destinations.json': () => ({ destinations: destinationsOf(page) }),
    'visits.json': () => ({ visits: many(visits, visitOf) }),
    'events.json': () => eventsOf(page),
    'configuration.json': () => masked(configuration),
    'versions.json': () => versions,
  };
  const folder = `support-bundle-${new Date(page.now).toISOString().slice(0, 19).replaceAll(':', '')}Z`;
  const members: Member[] = [];
  const add = async (name: string, texts: Iterable<string>): Promise<void> => {
    const content = await deflatedOf(await piecesOf(texts, breathe));
    members.push({ name: `${folder}/${name}`, content });
  };
  await add('README.txt', [readme]);
  for (const [name, contentOf] of Object.entries(files)) await add(name, lines(jsonPieces(contentOf(), 1)));
  return zipOf(members, new Date(page.now));
}

function* lines(texts: Iterable<string>): Generator<string> {
  yield* texts;
  yield '\n';
}

type Member = { readonly name: string; readonly content: Deflated };

/** @param mtime what each member is dated */
function zipOf(members: readonly Member[], mtime: Date): Buffer {
  const chunks: Uint8Array[] = [];
  const archive = new Zip((error, chunk) => {
    if (error) throw error;
    chunks.push(chunk);
  });
  for (const { name, content } of members) {
    const file: ZipInputFile = { filename: name, mtime, crc: content.sum >>> 0, size: content.length, compression: 8 };
    archive.add(file);
    for (const chunk of content.deflated) file.ondata?.(null, new Uint8Array(chunk), false);
    file.ondata?.(null, new Uint8Array(), true);
  }
  archive.end();
  return Buffer.concat(chunks);
}

const secretKeys = /pass|secret|token|credential|authori[sz]ation|private|api_?key|cookie|community/i;
/** A configuration holds no more; whatever would is cut, so that the bundle is made all the same. */
const deepestMasked = 32;
const mostMasked = 200_000;

/** Values under telling names are replaced, and users and passwords in URLs. */
export function masked(value: unknown): unknown {
  let left = mostMasked;
  const copy = (each: unknown, key: string, depth: number): unknown => {
    if (each !== null && each !== undefined && secretKeys.test(key)) return '(masked)';
    if (typeof each === 'string') return withoutUsers(each);
    if (typeof each !== 'object' || each === null) return each;
    if (depth === deepestMasked) return '(left out: nested too deeply)';
    const members = Object.entries(each).slice(0, Math.max(0, left));
    left -= members.length;
    if (Array.isArray(each)) return members.map(([, member]) => copy(member, '', depth + 1));
    return Object.fromEntries(members.map(([name, member]) => [name, copy(member, name, depth + 1)]));
  };
  return copy(value, '', 0);
}

function withoutUsers(text: string): string {
  return text.replace(/((?<![a-z0-9+.-])[a-z0-9+.-]+:\/\/)[^\s/@]+@/gi, '$1(masked)@');
}
