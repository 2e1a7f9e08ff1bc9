/** The full name of this host without a DNS query: on Windows from the domain in its registry, read at each start and reload. */
import { execFile } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { serverLabelOf } from '../model/label.js';
import type { DeclaredName } from '../ledger/server-names.js';

/** Where Windows keeps the domain that is part of its own name. Source: Microsoft, "Tcpip\Parameters: Domain". */
const domainKey = String.raw`HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters`;

/**
 * Windows tells programs the first label of its name only; the events that it writes have the name in full.
 * @returns undefined where the host has no domain, or is not Windows: elsewhere the name is as the host has it
 */
export async function ownFullName(
  platform = process.platform,
  query = queryRegistry,
): Promise<DeclaredName | undefined> {
  const short = os.hostname().toLowerCase();
  if (platform !== 'win32' || short.includes('.')) return undefined;
  const domain = domainIn(await query());
  return domain === undefined ? undefined : { short, full: `${short}.${domain}` };
}

/** `    Domain    REG_SZ    contoso.local`, in any language. */
export function domainIn(answer: string): string | undefined {
  for (const line of answer.split('\n')) {
    const [name, type, value] = line.trim().split(/\s+/);
    if (name?.toLowerCase() === 'domain' && type === 'REG_SZ' && value) return serverLabelOf(value);
  }
  return undefined;
}

function queryRegistry(): Promise<string> {
  const reg = path.win32.join(process.env.SystemRoot ?? String.raw`C:\Windows`, 'System32', 'reg.exe');
  return new Promise((resolve) => {
    execFile(reg, ['query', domainKey, '/v', 'Domain'], { timeout: 2_000, windowsHide: true }, (error, stdout) => {
      resolve(error ? '' : stdout);
    });
  });
}
