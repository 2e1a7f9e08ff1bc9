/** The hosts file of the system: names that an administrator gave by hand. */
import { readFile } from 'node:fs/promises';
import { addressOf } from '../model/endpoint.js';

export type HostsLine = {
  /** In its normal form, a link-local one with its zone. */
  readonly address: string;
  /** In lower case; the first is the canonical one. */
  readonly names: readonly string[];
};

export function systemHostsFile(): string {
  const root = process.env.SystemRoot;
  return process.platform === 'win32' && root ? `${root}\\System32\\drivers\\etc\\hosts` : '/etc/hosts';
}

/** Read again each time: small, and edited by hand while someone looks for an error. An unreadable one is empty. */
export async function readHostsFile(file: string): Promise<readonly HostsLine[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [first = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    const address = addressOf(first);
    return address === undefined ? [] : [{ address, names: names.map((name) => name.toLowerCase()) }];
  });
}
