/** What `check` and `doctor` verify for sources that log in or accept logins: secrets, certificates, addresses. */
import type { Config } from '../config/config.js';
import { isLoopback, shownAddress } from '../config/forms.js';
import { authorityOf, doubtsOfChain, pairMistake } from '../config/server-certificate.js';
import { loadWebConfig } from '../config/web-config.js';
import { tokenIn } from '../events/sources/http/token.js';
import type { Finding } from '../health/findings.js';
import { readPlainFile } from '../runtime/plain-file.js';
import { unguarded, knowsClients } from '../wiring/push-listener.js';

type Source = Config['sources'][number];
type Tls = { readonly cert?: string | undefined; readonly key?: string | undefined };

/** What was found, and at which setting of the source: `tls.cert`. */
export type SourceFinding = Finding & { readonly setting: string };

/** Of one source, as serving it would find them. @param now milliseconds since 1970 UTC */
export async function sourceFileFindings(source: Source, now: number): Promise<SourceFinding[]> {
  if (source.type === 'kafka') {
    const { tls, sasl } = source;
    return [
      ...(await secretFindings('sasl.passwordFile', sasl?.passwordFile)),
      ...(await secretFindings('sasl.tokenFile', sasl?.tokenFile)),
      ...(tls ? await pairFindings(tls, now) : []),
      ...(await authorityFindings('tls.ca', tls?.ca, now)),
    ];
  }
  if (source.type === 'lumberjack')
    return [
      ...(source.tls ? await pairFindings(source.tls, now) : []),
      ...(await authorityFindings('tls.clientCa', source.tls?.clientCa, now)),
    ];
  if (source.type === 'http')
    return [...(await tokenFindings(source.bearerTokenFile)), ...(await unguardedFindings(source))];
  return [];
}

function failed(setting: string, text: string, remedy?: string): SourceFinding {
  return { check: 'source', state: 'failed', setting, text, ...(remedy !== undefined && { remedy }) };
}

async function contentOf(setting: string, file: string): Promise<string | SourceFinding> {
  try {
    const content = (await readPlainFile(file)).toString('utf8');
    if (content.trim() !== '') return content;
    return failed(setting, `${setting}: ${file}: is empty`, 'write the secret or the PEM text into it');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      return failed(setting, `${setting}: ${file}: is not there`, 'correct the path, or create the file');
    const remedy = 'give the account of the exporter the right to read it';
    return failed(setting, `${setting}: ${file}: cannot be read: ${message}`, remedy);
  }
}

async function secretFindings(setting: string, file: string | undefined): Promise<SourceFinding[]> {
  if (file === undefined) return [];
  const content = await contentOf(setting, file);
  return typeof content === 'string' ? [] : [content];
}

async function tokenFindings(file: string | undefined): Promise<SourceFinding[]> {
  if (file === undefined) return [];
  return tokenIn(file).then(
    () => [],
    (error: unknown) => [failed('bearerTokenFile', `bearerTokenFile: ${(error as Error).message}`)],
  );
}

async function pairFindings({ cert, key }: Tls, now: number): Promise<SourceFinding[]> {
  if (cert === undefined || key === undefined) return [];
  const [certificate, ownKey] = [await contentOf('tls.cert', cert), await contentOf('tls.key', key)];
  if (typeof certificate !== 'string' || typeof ownKey !== 'string')
    return [certificate, ownKey].filter((each) => typeof each !== 'string');
  const mistake = pairMistake(certificate, ownKey);
  if (mistake !== undefined) {
    const text = mistake.replaceAll('cert_file', 'tls.cert').replaceAll('key_file', 'tls.key');
    return [failed('tls', `tls: ${text} (${cert}, ${key})`)];
  }
  return doubtsOfChain(certificate, `tls.cert: ${cert}`, now).map((text) => doubtful('tls.cert', text));
}

async function authorityFindings(setting: string, file: string | undefined, now: number): Promise<SourceFinding[]> {
  if (file === undefined) return [];
  const content = await contentOf(setting, file);
  if (typeof content !== 'string') return [content];
  const authority = authorityOf(content, now);
  const named = (text: string): string => text.replaceAll('client_ca_file', setting);
  if (typeof authority === 'string') return [failed(setting, `${named(authority)} (${file})`)];
  return authority.doubts.map((text) => doubtful(setting, `${named(text)} (${file})`));
}

function doubtful(setting: string, text: string): SourceFinding {
  return { check: 'source', state: 'warning', setting, text };
}

/** A web configuration that knows nobody lets everybody in: the listener does not open then. */
async function unguardedFindings({
  listenAddress,
  webConfigFile,
  bearerTokenFile,
}: Extract<Source, { type: 'http' }>): Promise<SourceFinding[]> {
  if (webConfigFile === undefined || bearerTokenFile !== undefined || isLoopback(listenAddress)) return [];
  const loaded = await loadWebConfig(webConfigFile);
  // What is wrong with the file itself is told beside.
  return !loaded.ok || knowsClients(loaded.config)
    ? []
    : [failed('listenAddress', unguarded(`http ${shownAddress(listenAddress)}`))];
}
