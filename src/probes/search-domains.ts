/** The domains in which this host looks for short names. */
import { readFile } from 'node:fs/promises';

/**
 * `search` and `domain` of resolv.conf; of several the last line counts (resolv.conf(5)). Empty on Windows, where they
 * cannot be read without a program; its resolver knows them itself.
 */
export async function searchDomains(file = '/etc/resolv.conf'): Promise<readonly string[]> {
  if (process.platform === 'win32') return [];
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const [, ...last] = lines.findLast(([key]) => key === 'search' || key === 'domain') ?? [];
  const domains = last.map((domain) => domain.replace(/^\.|\.$/g, '').toLowerCase());
  return domains.filter((domain) => domain !== '');
}
