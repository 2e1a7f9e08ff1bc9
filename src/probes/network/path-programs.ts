/** The programs that trace a path: their arguments, and how their output is parsed, by its numbers only. */
import { addressOf } from '../../model/endpoint.js';
import type { PathHop } from '../../model/probes.js';

export type PathProgram = {
  readonly name: string;
  readonly windows: boolean;
  readonly words: (address: string) => string[];
  readonly limitMs: number;
  /** The hops in order, from as much of the output as there is. */
  readonly read: (output: string) => readonly PathHop[];
};

/** Longest path looked at; more than twenty routers are rare, and each silent one costs seconds. */
const maxHops = 20;

/** In the order of how much they tell: loss for every hop first. */
export const pathPrograms: readonly PathProgram[] = [
  {
    name: 'mtr',
    windows: false,
    words: (address) => ['--csv', '-n', '-c', '5', '-m', String(maxHops), address],
    limitMs: 45_000,
    read: readMtr,
  },
  {
    name: 'tracepath',
    windows: false,
    words: (address) => ['-n', '-m', String(maxHops), address],
    limitMs: 45_000,
    read: readTracepath,
  },
  {
    name: 'traceroute',
    windows: false,
    words: (address) => ['-n', '-q', '3', '-w', '2', '-m', String(maxHops), address],
    limitMs: 45_000,
    read: readTraceroute,
  },
  {
    name: 'pathping',
    windows: true,
    words: (address) => ['-n', '-q', '10', '-p', '100', '-w', '1000', '-h', String(maxHops), address],
    limitMs: 120_000,
    read: readPathping,
  },
  {
    name: 'tracert',
    windows: true,
    words: (address) => ['-d', '-w', '1000', '-h', String(maxHops), address],
    limitMs: 90_000,
    read: readTraceroute,
  },
];

/** CSV with a heading; the columns are found by their names, which differ by version in number and order. */
export function readMtr(output: string): readonly PathHop[] {
  const rows = output.split(/\r?\n/).map((line) => line.split(','));
  const heading = rows.find((row) => row.includes('Hop') && row.includes('Loss%'));
  if (!heading) return [];
  const column = (row: readonly string[], name: string): string => row[heading.indexOf(name)] ?? '';
  return rows.slice(rows.indexOf(heading) + 1).flatMap((row) => {
    const hop = Number(column(row, 'Hop'));
    if (!Number.isInteger(hop) || hop < 1) return [];
    return hopOf(hop, column(row, 'Ip'), {
      loss: Number(column(row, 'Loss%')) / 100,
      rtt: Number(column(row, 'Avg')) / 1000,
    });
  });
}

/**
 * ` 2:  198.51.100.1   0.077ms asymm 3`, ` 3:  no reply`. A hop may be told twice, the later line is the better one;
 * `1?:` is this host. One echo for each hop: the loss is all or nothing.
 */
export function readTracepath(output: string): readonly PathHop[] {
  const hops = new Map<number, PathHop>();
  for (const line of output.split(/\r?\n/)) {
    const match = /^\s*(\d+):\s+(\S+)/.exec(line);
    if (!match) continue;
    const time = /(?<![\d.,])([\d.,]+)\s*ms/.exec(line.slice(match[0].length))?.[1];
    const hop = Number(match[1]);
    const isAddress = addressOf(match[2] ?? '') !== undefined;
    const rtt = time === undefined ? undefined : numberOf(time) / 1000;
    for (const found of hopOf(hop, match[2] ?? '', { loss: isAddress ? 0 : 1, rtt })) {
      if (isAddress || !hops.has(hop)) hops.set(hop, found);
    }
  }
  return [...hops.values()].sort((a, b) => a.hop - b.hop);
}

/**
 * ` 3  198.51.100.1  0.5 ms  *  0.4 ms` of traceroute and `  3    12 ms     *    <1 ms  198.51.100.1` of tracert:
 * a number, stars for lost echoes, numbers with a unit for the others, and the address before or after them.
 */
export function readTraceroute(output: string): readonly PathHop[] {
  return output.split(/\r?\n/).flatMap((line) => {
    const match = /^\s*(\d+)\s(.*)$/.exec(line);
    if (!match) return [];
    const words = (match[2] ?? '').trim().split(/\s+/);
    const address = words.find((word) => addressOf(word) !== undefined);
    const times = words.flatMap((word, index) => {
      // The unit is a word of its own: `ms`, or `мс` in the code page of the machine.
      const isTime = /^<?\d+(?:[.,]\d+)?$/.test(word) && /^[^\d*.]/.test(words[index + 1] ?? '');
      return isTime ? [numberOf(word.replace('<', '')) / 1000] : [];
    });
    const lost = words.filter((word) => word === '*').length;
    if (times.length + lost === 0 && address === undefined) return [];
    const asked = times.length + lost;
    const rtt = times.length > 0 ? times.reduce((sum, time) => sum + time, 0) / times.length : undefined;
    return hopOf(Number(match[1]), address ?? '', { loss: asked > 0 ? lost / asked : undefined, rtt });
  });
}

/**
 * The second half: `  1   12ms   3/ 100 =  3%   0/ 100 =  0%  198.51.100.1`, where the first pair is from here to the hop;
 * hop 0 is this host. Ended before that, the first half still names the hops.
 */
export function readPathping(output: string): readonly PathHop[] {
  const named: PathHop[] = [];
  const measured: PathHop[] = [];
  for (const line of output.split(/\r?\n/)) {
    const match = /^\s*(\d+)\s+(?:(\d+)(?:[^\s\d]\S*)?|-+)\s+(\d+)\/\s*(\d+)\s*=/.exec(line);
    if (match) {
      const [whole, hop = '', rtt, lost = '', sent = ''] = match;
      const address = line.slice(whole.length).trim().split(/\s+/).at(-1) ?? '';
      const numbers = { loss: Number(lost) / Math.max(1, Number(sent)), rtt: rtt && Number(rtt) / 1000 };
      measured.push(...hopOf(Number(hop), address, { ...numbers, rtt: numbers.rtt === '' ? undefined : numbers.rtt }));
    }
    const trace = /^\s*(\d+)\s+(\S+)\s*$/.exec(line);
    if (trace && addressOf(trace[2] ?? '') !== undefined) named.push(...hopOf(Number(trace[1]), trace[2] ?? '', {}));
  }
  return measured.length > 0 ? measured : named;
}

type Numbers = { readonly loss?: number | undefined; readonly rtt?: number | undefined };

/** Hop 0 is this host and no news. */
function hopOf(hop: number, word: string, { loss, rtt }: Numbers): readonly PathHop[] {
  if (hop < 1 || hop > 255) return [];
  const address = addressOf(word);
  return [
    {
      hop,
      ...(address !== undefined && { address }),
      ...(loss !== undefined && Number.isFinite(loss) && { lossRatio: Math.min(1, Math.max(0, loss)) }),
      ...(rtt !== undefined && Number.isFinite(rtt) && address !== undefined && { rttSeconds: rtt }),
    },
  ];
}

function numberOf(text: string): number {
  return Number(text.replace(',', '.'));
}
