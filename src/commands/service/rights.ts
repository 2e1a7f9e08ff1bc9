/** What the account of the service may: read event logs and the logs of Exchange, write its state and its log. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Finding } from '../../health/findings.js';
import { loadKoffi } from '../../runtime/native.js';
import { definition, serviceName, serviceSid, type ServiceFolders } from './definition.js';
import { commandText, systemProgram } from './system-program.js';

const eventLogReaders = 'S-1-5-32-573';
const administrators = '*S-1-5-32-544:(OI)(CI)F';
const system = '*S-1-5-18:(OI)(CI)F';
/** Of lmerr.h and winerror.h: it is a member already. */
const ERROR_MEMBER_IN_ALIAS = 1378;

/** A security identifier as bytes: revision, number of parts, authority, parts. */
export function sidBytes(sid: string): Buffer {
  const [, revision, authority, ...parts] = sid.split('-').map(Number);
  const bytes = Buffer.alloc(8 + 4 * parts.length);
  bytes.writeUInt8(revision ?? 1, 0);
  bytes.writeUInt8(parts.length, 1);
  bytes.writeUIntBE(authority ?? 0, 2, 6);
  for (const [index, part] of parts.entries()) bytes.writeUInt32LE(part, 8 + 4 * index);
  return bytes;
}

/** By identifiers: names of groups are translated. */
export async function joinEventLogReaders(): Promise<Finding> {
  const check = 'event log readers';
  const remedy = `net localgroup "Event Log Readers" "${definition.account}" /add`;
  const koffi = await loadKoffi();
  const lookUp = koffi
    .load('advapi32.dll')
    .func('int __stdcall LookupAccountSidW(void *, void *, void *, void *, void *, void *, void *)');
  const [group, domain] = [Buffer.alloc(1024), Buffer.alloc(1024)];
  const [groupSize, domainSize, use] = [Uint32Array.of(512), Uint32Array.of(512), new Uint32Array(1)];
  if (!lookUp(null, sidBytes(eventLogReaders), group, groupSize, domain, domainSize, use))
    return { check, state: 'warning', text: 'this Windows has no group Event Log Readers', remedy };
  const add = koffi
    .load('netapi32.dll')
    .func('uint32 __stdcall NetLocalGroupAddMembers(void *, void *, uint32, void *, uint32)');
  // The identifier stands behind the pointer to it in the same buffer, so that it lives as long.
  const member = Buffer.concat([Buffer.alloc(8), sidBytes(serviceSid(serviceName))]);
  member.writeBigUInt64LE(koffi.address(member) + 8n);
  const code = add(null, group, 0, member, 1) as number;
  return code === 0 || code === ERROR_MEMBER_IN_ALIAS
    ? { check, state: 'ok', text: `${definition.account} may read event logs` }
    : { check, state: 'warning', text: `${definition.account} could not be added: error ${code}`, remedy };
}

/** Rights that icacls gives to a place. */
export type Grant = { readonly place: string; readonly rights: readonly string[] };

/**
 * Only the service and administrators see the data: the state names connectors and destinations. The service may write
 * its state and its log, not its configuration, which says what is probed. Places that a person chose keep the rights
 * they have, and the service is added.
 * @param transportLogs of Exchange, where it has any
 */
export function grantsFor(folders: ServiceFolders, chosen: Chosen, transportLogs?: string): readonly Grant[] {
  const account = `*${serviceSid(serviceName)}`;
  const alone = ['/inheritance:r', '/grant:r', administrators, system];
  const isOurs = (place: string): boolean => isWithin(folders.data, place);
  const grants: Grant[] = [
    { place: folders.data, rights: [...alone, `${account}:(OI)(CI)RX`] },
    { place: folders.logs, rights: [...alone, `${account}:(OI)(CI)M`] },
  ];
  if (!holdsMore(chosen.state, [folders.data]))
    grants.push({
      place: chosen.state,
      rights: [...(isOurs(chosen.state) ? alone : ['/grant']), `${account}:(OI)(CI)M`],
    });
  if (!isOurs(chosen.configuration)) grants.push({ place: chosen.configuration, rights: ['/grant', `${account}:R`] });
  if (transportLogs !== undefined) grants.push({ place: transportLogs, rights: ['/grant', `${account}:(OI)(CI)RX`] });
  return grants;
}

/** Whether a folder is a whole drive, or one of the places is in it. */
export function holdsMore(folder: string, places: readonly string[]): boolean {
  return path.win32.parse(folder).root === folder || places.some((place) => isWithin(folder, place));
}

/** A place on another drive has no relative path and comes back whole. */
function isWithin(folder: string, place: string): boolean {
  const way = path.win32.relative(folder, place);
  return !path.win32.isAbsolute(way) && way !== '..' && !way.startsWith('..\\');
}

export async function protectFolders(folders: ServiceFolders, chosen: Chosen): Promise<Finding[]> {
  const exchange = process.env.ExchangeInstallPath;
  const logs = path.win32.join(exchange ?? '', 'TransportRoles', 'Logs');
  const hasLogs = exchange !== undefined && exchange !== '' && existsSync(logs);
  const findings: Finding[] = [];
  for (const each of grantsFor(folders, chosen, hasLogs ? logs : undefined)) findings.push(await grant(each));
  if (holdsMore(chosen.state, [folders.data, chosen.configuration]))
    findings.push({ check: 'rights', state: 'warning', text: tooMuch(chosen.state) });
  return findings;
}

/** What a state folder is refused with that holds more than the state. */
export function tooMuch(state: string): string {
  return `the state folder ${state} holds more than the state, which the service would be allowed to change; expected a folder of its own`;
}

/** Where configuration and state are. */
export type Chosen = { readonly configuration: string; readonly state: string };

async function grant({ place, rights }: Grant): Promise<Finding> {
  const check = 'rights';
  const args = [place, ...rights];
  const { ok, output } = await systemProgram('icacls.exe', args);
  if (ok && output !== '') return { check, state: 'ok', text: `${place}: the service has what it needs` };
  const text = `${place}: ${output === '' ? 'icacls does not say whether it set them' : output.replace(/\s+/g, ' ')}`;
  return { check, state: 'warning', text, remedy: commandText('icacls', args) };
}
