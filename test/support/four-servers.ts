/**
 * What four Exchange servers write, all at once, and what is to be counted of it: the workload of the benchmarks of reading,
 * shipped by Winlogbeat or read from binary logs that grow, one of the servers both ways; and both transport logs of two of them.
 */
import { closeSync, openSync } from 'node:fs';
import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createWorkload, hosts } from '../../bench/workload.mjs';
import { addEvent, createLog, flush, type Log } from './evtx-writer.js';
import { silentConnector, simulate, type Simulator } from './exchange-logs.js';

const [edge = '', bothWays = '', shipped = '', binary = ''] = hosts;
const related = 'exchange_send_connector_related_events_total';
const errors = 'exchange_send_connector_connection_errors_total';
const attempts = 'exchange_send_connector_connection_attempts_total';
const failures = 'exchange_send_connector_connection_failures_total';
/** Half of the records are event 2002; of the others a seventh are related to errors. */
const share = 0.5;
/** A transport session has about so many rows in both logs. */
const rowsOfSession = 20;

/** All that counts what was written. */
export const counters = [errors, attempts, failures, related];

export type FourServers = {
  /** Arguments that make the exporter read all of it. */
  readonly args: readonly string[];
  /** Writes on, up to a share of all that is to be written, 0 to 1. @returns false when all has been written */
  readonly step: (upTo: number) => Promise<boolean>;
  /** What is to be counted of what was written so far, by series as on the page. */
  readonly truth: () => ReadonlyMap<string, number>;
  readonly written: () => number;
  readonly close: () => void;
};

export type Size = {
  readonly events: number;
  /** Of each of the two servers that have transport logs. */
  readonly sessions: number;
  /** Into how many steps it is cut. */
  readonly steps: number;
};

export async function startFourServers(folder: string, size: Size): Promise<FourServers> {
  const truth = new Map<string, number>();
  const shipper = await createShipper(folder);
  const logs = new Map([bothWays, binary].map((host) => [host, openBinaryLog(folder, host)]));
  const simulators = [edge, binary].map((host, at) => ({
    host,
    simulator: simulate({ folder: path.join(folder, host), seed: at + 1, sessions: size.sessions, hourly: at === 1 }),
  }));
  const next = createWorkload({ carrier: 'winlogbeat', share });
  const rowsAtOnce = Math.ceil((size.sessions * rowsOfSession) / size.steps);
  const state = { written: 0, isOver: simulators.map(() => false) };
  const writeOne = async (): Promise<void> => {
    const { line } = next(Date.now());
    const event = JSON.parse(line) as Event;
    const { computer_name: host } = event.winlog;
    const log = logs.get(host);
    if (log) event.winlog.record_id = addEvent(log.log, binaryEventOf(event));
    if (host !== binary) await shipper.add(host, `${JSON.stringify(event)}\n`);
    note(truth, event);
    state.written++;
  };
  return {
    args: await configured(folder, simulators),
    written: () => state.written,
    step: async (upTo) => {
      const wanted = Math.min(size.events * upTo, state.written + size.events / size.steps);
      while (state.written < wanted) await writeOne();
      const isAll = state.written >= size.events;
      await shipper.flush(isAll);
      for (const { log, fd } of logs.values()) flush(log, fd);
      for (const [at, { simulator }] of simulators.entries()) state.isOver[at] ||= !simulator.step(rowsAtOnce);
      return !(isAll && state.isOver.every(Boolean));
    },
    truth: () =>
      new Map([...truth, ...simulators.flatMap(({ host, simulator }) => [...transportTruth(host, simulator)])]),
    close: () => {
      for (const { fd } of logs.values()) closeSync(fd);
    },
  };
}

type Event = {
  readonly '@timestamp': string;
  readonly winlog: {
    readonly computer_name: string;
    readonly provider_name: string;
    readonly event_id: string;
    readonly event_data: Readonly<Record<string, string>>;
    record_id: number;
  };
};

function note(truth: Map<string, number>, { winlog }: Event): void {
  const { provider_name: provider, event_id: id, event_data: data, computer_name: host } = winlog;
  if (provider !== 'MSExchangeTransport') return;
  const server = host.toLowerCase();
  const series =
    id === '2002'
      ? `${errors}{server="${server}",connector="${data.param1}",destination="${data.param2}"}`
      : id === '12014' && `${related}{server="${server}",provider="${provider}",event_id="${id}"}`;
  if (series) truth.set(series, (truth.get(series) ?? 0) + 1);
}

function transportTruth(host: string, simulator: Simulator): [string, number][] {
  const server = host.toLowerCase();
  return Object.entries(simulator.truth()).map(([fact, count]) => {
    const [connector = '', destination = '', what = ''] = fact.split(' | ');
    const labels = `server="${server}",connector="${connector.replaceAll('"', '\\"')}",destination="${destination}"`;
    return [what === 'attempts' ? `${attempts}{${labels}}` : `${failures}{${labels},reason="${what}"}`, count];
  });
}

function binaryEventOf(event: Event): Parameters<typeof addEvent>[1] {
  const { winlog } = event;
  return {
    provider: winlog.provider_name,
    eventId: Number(winlog.event_id),
    computer: winlog.computer_name,
    time: Date.parse(event['@timestamp']),
    strings: Object.values(winlog.event_data),
  };
}

/** A live Application log: it grows in place, and its header says nothing until it is closed. */
function openBinaryLog(folder: string, host: string): { log: Log; fd: number } {
  const log = createLog({ preallocate: true });
  const fd = openSync(path.join(folder, `${host}.evtx`), 'w');
  flush(log, fd);
  return { log, fd };
}

type Shipper = {
  readonly add: (host: string, line: string) => Promise<void>;
  /** What it writes ends anywhere, unless it is to be all. */
  readonly flush: (all: boolean) => Promise<void>;
};

/** Winlogbeat's files, one for each server, renamed now and then. */
async function createShipper(folder: string): Promise<Shipper> {
  const files = new Map([edge, bothWays, shipped].map((host) => [host, { rest: '', turned: 0 }]));
  const nameOf = (host: string): string => path.join(folder, `${host}.ndjson`);
  for (const host of files.keys()) await writeFile(nameOf(host), '');
  const write = async (host: string, file: { rest: string; turned: number }, length: number): Promise<void> => {
    await appendFile(nameOf(host), file.rest.slice(0, length));
    file.rest = file.rest.slice(length);
  };
  return {
    add: async (host, line) => {
      const file = files.get(host)!;
      file.rest += line;
      if (Math.random() >= 0.001) return;
      await write(host, file, file.rest.length);
      await rename(nameOf(host), `${nameOf(host)}.${++file.turned}`);
      await writeFile(nameOf(host), '');
    },
    flush: async (all) => {
      for (const [host, file] of files)
        await write(host, file, all ? file.rest.length : Math.floor(file.rest.length * Math.random()));
    },
  };
}

async function configured(
  folder: string,
  simulators: readonly { readonly host: string; readonly simulator: Simulator }[],
): Promise<string[]> {
  const inventory = path.join(folder, 'inventory', 'connectors.json');
  await mkdir(path.dirname(inventory));
  const silent = { Name: silentConnector.name, Guid: silentConnector.guid, Enabled: true, DNSRoutingEnabled: true };
  await writeFile(inventory, JSON.stringify([silent]));
  const transport = simulators.map(({ host, simulator }) => ({
    type: 'file',
    server: host,
    paths: [simulator.sendFolder, simulator.connectivityFolder],
  }));
  const logs = { type: 'file', paths: [path.join(folder, '*.ndjson*'), path.join(folder, '*.evtx')] };
  const config = { sources: [logs, ...transport], inventory: { file: inventory } };
  await writeFile(path.join(folder, 'config.yml'), JSON.stringify(config));
  return [`--config.file=${path.join(folder, 'config.yml')}`, '--no-probe'];
}
