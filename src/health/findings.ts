/** The findings of `doctor`, as plain data and as text; and the checks that need no further look at the machine. */
import type { Inventory, InventoryStatus } from '../inventory/inventory.js';
import type { SourceStatus } from '../model/status.js';

export type Finding = {
  /** What was looked at, one or two words. */
  readonly check: string;
  /** `warning`: it works, but something is not seen. `skipped`: could not be looked at, or need not be. */
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly text: string;
  /** The next thing to do, with the command where there is one. */
  readonly remedy?: string;
};

/** An hourly export that has missed two days is forgotten by its task. */
const oldInventoryMs = 48 * 3_600_000;
const fullDiskBytes = 100 * 1024 * 1024;
/** A record from the future: clocks that differ by more break the times of last errors, and with them the alerts. */
const clockMs = 5 * 60_000;
/** Prometheus looks at least every few minutes, or its alerts come late. */
const unscrapedMs = 10 * 60_000;

export function sourceFindings(statuses: readonly SourceStatus[]): Finding[] {
  return statuses.map(({ up, detail, source }) =>
    up
      ? { check: 'source', state: 'ok', text: `${source}: ${withoutName(detail, source)}` }
      : { check: 'source', state: 'failed', text: `${source}: ${withoutName(detail, source)}` },
  );
}

function withoutName(detail: string, source: string): string {
  return detail.startsWith(`${source}: `) ? detail.slice(source.length + 2) : detail;
}

export function inventoryFindings(
  { file, modifiedAt, problem }: InventoryStatus,
  { connectors, doubts }: { readonly connectors: number; readonly doubts: ReturnType<Inventory['doubts']> },
  now: number,
): Finding[] {
  const check = 'inventory';
  const again = 'examples/windows/Export-SendConnectors.ps1 writes it, with -Schedule every hour';
  if (file === undefined) {
    const text =
      'none: connectors of the connectivity log have no names, smart hosts are not probed before their first error';
    return [{ check, state: 'skipped', text, remedy: `set inventory.file; ${again}` }];
  }
  if (problem !== undefined) return [{ check, state: 'failed', text: problem }];
  const age = now - (modifiedAt ?? now);
  const text = `${file}: ${connectors} Send connectors, exported ${ageText(age)} ago`;
  const own: Finding =
    age > oldInventoryMs ? { check, state: 'warning', text, remedy: again } : { check, state: 'ok', text };
  const unseen = doubts.map(({ about, message }): Finding => {
    const [what = '', remedy = ''] = message.split('; ');
    return { check, state: 'warning', text: `${about}: ${what}`, ...(remedy !== '' && { remedy }) };
  });
  return [own, ...unseen];
}

export function diskFinding(directory: string, freeBytes: number): Finding {
  const text = `${sizeText(freeBytes)} free for ${directory}`;
  const remedy = 'free some space: otherwise the ledger cannot be saved, and reading waits';
  return freeBytes < fullDiskBytes
    ? { check: 'disk', state: 'warning', text, remedy }
    : { check: 'disk', state: 'ok', text };
}

/** @param newestAt time of the newest record read, milliseconds since 1970 UTC; undefined when none was read */
export function clockFinding(newestAt: number | undefined, now: number): Finding {
  if (newestAt === undefined)
    return { check: 'clock', state: 'skipped', text: 'no error or attempt to compare the time with' };
  if (newestAt <= now + clockMs) return { check: 'clock', state: 'ok', text: 'no error or attempt is from the future' };
  return {
    check: 'clock',
    state: 'warning',
    text: `the newest error or attempt is from ${ageText(newestAt - now)} in the future`,
    remedy: 'compare the clocks of this machine and of the Exchange servers: w32tm /query /status, timedatectl',
  };
}

/** @param lastScrapes when each scraper asked last, milliseconds since 1970 UTC */
export function scrapeFinding(
  lastScrapes: readonly { readonly address: string; readonly lastAt: number }[],
  now: number,
): Finding {
  const remedy = 'examples/prometheus.yml has the scrape; see the targets page of Prometheus';
  const lately = lastScrapes.filter(({ lastAt }) => now - lastAt <= unscrapedMs);
  if (lately.length > 0) {
    const who = lately.map(({ address, lastAt }) => `${address} ${ageText(now - lastAt)} ago`).join(', ');
    return { check: 'scrapes', state: 'ok', text: `scraped by ${who}` };
  }
  const [latest] = [...lastScrapes].sort((a, b) => b.lastAt - a.lastAt);
  const text = latest
    ? `last scraped ${ageText(now - latest.lastAt)} ago, by ${latest.address}`
    : 'the metrics have not been scraped yet';
  return { check: 'scrapes', state: 'warning', text, remedy };
}

// -------------------------------------------------------------------------------------------------------------- text

const marks = { ok: 'ok     ', warning: 'warning', failed: 'FAILED ', skipped: '-      ' } as const;

/** One line for each finding, its remedy below it, and a last line that counts. */
export function findingsText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.map(({ check, state, text, remedy }) => {
    const line = `${marks[state]}  ${check.padEnd(width)}  ${text}`;
    return remedy === undefined || state === 'ok' ? line : `${line}\n${' '.repeat(width + 11)}-> ${remedy}`;
  });
  return `${lines.join('\n')}\n\n${summaryOf(findings)}\n`;
}

function summaryOf(findings: readonly Finding[]): string {
  const count = (state: Finding['state']): number => findings.filter((finding) => finding.state === state).length;
  const [failed, warnings] = [count('failed'), count('warning')];
  if (failed + warnings === 0) return 'All is well.';
  return [failed > 0 ? `${failed} failed` : '', warnings > 0 ? `${warnings} warning${warnings === 1 ? '' : 's'}` : '']
    .filter((part) => part !== '')
    .join(', ')
    .concat('.');
}

function ageText(ms: number): string {
  const [value, unit] =
    ms < 120_000
      ? [ms / 1000, 's']
      : ms < 7_200_000
        ? [ms / 60_000, 'min']
        : ms < 172_800_000
          ? [ms / 3_600_000, 'h']
          : [ms / 86_400_000, 'd'];
  return `${Math.round(value)} ${unit}`;
}

function sizeText(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : `${Math.round(bytes / 2 ** 20)} MiB`;
}
