/** The command `probe`: visits one destination now and prints every step, line, ping and hop as it happens. */
import { loadConfig, type Config } from '../config/config.js';
import { destinationOf, endpointOf } from '../model/endpoint.js';
import { loadInventory } from '../inventory/inventory.js';
import type { PathReport, PingReport, ProbeResult, StepResult, TranscriptLine } from '../model/probes.js';
import type { QuitAfter } from '../model/words.js';
import type { Target } from '../model/connectors.js';
import { dayOf } from '../probes/certificates.js';
import { findPath } from '../probes/network/path.js';
import { ping } from '../probes/network/ping.js';
import { createPolicy } from '../probes/policy.js';
import { openProber } from '../probes/probing.js';
import { shown } from '../probes/smtp-lines.js';
import { createTargets, targetOf } from '../probes/targets.js';
import type { VisitWatch } from '../probes/visit-record.js';
import { overridesOf } from './flags.js';
import { complain, print } from './terminal.js';

export type ProbeFlags = {
  readonly 'config.file'?: string;
  readonly quitAfter?: QuitAfter;
  readonly json?: boolean;
  /** False with `--no-path`. */
  readonly path: boolean;
};

/** @returns the exit code: 0 when the probe passed, 1 when it failed, 2 when it could not be asked */
export async function probeCommand(text: string, flags: ProbeFlags): Promise<number> {
  const target = targetOf(text, 'configured');
  if (!target) return complain([`expected HOST or HOST:PORT, got: ${shown(text)}`], 2);
  const loaded = await loadConfig({ file: flags['config.file'], overrides: overridesOf(flags) });
  if (!loaded.ok) return complain(loaded.mistakes, 2);
  const controller = new AbortController();
  process.once('SIGINT', () => {
    controller.abort();
  });
  try {
    return await probe(await asConnector(target, loaded.config), loaded.config, flags, controller.signal);
  } catch (error) {
    return complain([error instanceof Error ? error.message : String(error)], 2);
  }
}

/** With the settings of the Send connector whose smart host this is, when the inventory of the configuration has one. */
async function asConnector(target: Target, { inventory }: Config): Promise<Target> {
  if (inventory.file === undefined) return target;
  const loaded = await loadInventory(inventory.file);
  if (!loaded.ok) throw new Error(loaded.problem);
  const targets = createTargets();
  targets.setInventory(loaded.connectors);
  return targets.list().find(({ destination }) => destination === target.destination) ?? target;
}

async function probe(target: Target, config: Config, flags: ProbeFlags, signal: AbortSignal): Promise<number> {
  const say = flags.json === true ? (): void => undefined : print;
  const prober = await openProber(config.probe, createPolicy(config.probe), flags.quitAfter);
  if (target.settings) say(`as the Send connector does it: ${JSON.stringify(target.settings)}\n`);
  const results = await prober.visit(target, signal, flags.json === true ? {} : printingWatch(say));
  const reports: Record<string, { ping: PingReport; path?: PathReport }> = {};
  for (const result of results) {
    say(`\n${verdictOf(result)}\n`);
    const { address } = result.facts;
    if (address === undefined || result.reason === 'blocked_by_policy' || signal.aborted) continue;
    reports[result.destination] = await lookAtNetwork(address, flags.path, signal, say);
  }
  if (flags.json === true) print(`${JSON.stringify({ results, network: reports }, undefined, 2)}\n`);
  if (results.every(({ reason }) => reason === 'blocked_by_policy')) return 2;
  return results[0]?.success === true ? 0 : 1;
}

function printingWatch(say: (text: string) => void): VisitWatch {
  let shown = '';
  const under = (destination: string): void => {
    if (destination !== shown) say(`\n${destination}\n`);
    shown = destination;
  };
  return {
    line(destination, line: TranscriptLine) {
      under(destination);
      say(`${String(line.ms).padStart(8)} ms ${line.direction} ${line.text}\n`);
    },
    step(destination, { step, seconds, outcome, reason }: StepResult) {
      under(destination);
      say(`            ${step.padEnd(8)} ${outcome}${reason ? `: ${reason}` : ''} after ${seconds.toFixed(3)} s\n`);
    },
  };
}

function verdictOf(result: ProbeResult): string {
  const { destination, success, failedStep, reason, warning, facts } = result;
  const name = endpointOf(destination)?.address === true ? destination : `the name ${destination}`;
  if (!success) return `FAILED ${name}: ${failedStep ?? ''}: ${reason ?? ''}`;
  const expiry = facts.certificateExpiresAt;
  const notes = [
    ...(warning ? [`warning: ${warning.step}: ${warning.reason}`] : []),
    ...(facts.tlsVersion ? [facts.tlsVersion] : []),
    ...(expiry === undefined ? [] : [`certificate valid to ${dayOf(expiry)}`]),
  ];
  return `PASSED ${name}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`;
}

async function lookAtNetwork(
  address: string,
  withPath: boolean,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<{ ping: PingReport; path?: PathReport }> {
  const onText = (text: string): void => {
    // Whatever a program writes goes to a terminal: no control characters but the end of the line.
    say(text.replace(/[^\t\n\x20-\x7e\xa0-\xff]/g, ''));
  };
  say(`\nping ${destinationOf({ host: address, port: 0 }).replace(/:0$/, '')}\n`);
  const pinged = await ping(address, { signal, onText });
  say(`${pingText(pinged)}\n`);
  if (!withPath || signal.aborted) return { ping: pinged };
  say('\npath (this can take a minute)\n');
  const path = await findPath(address, { signal });
  say(pathText(path));
  return { ping: pinged, path };
}

function pingText({ state, sent, received, rttSeconds, detail }: PingReport): string {
  if (state !== 'done') return `no ping: ${state}: ${detail ?? ''}`;
  const time = rttSeconds ? `, ${(rttSeconds.average * 1000).toFixed(1)} ms on average` : '';
  return `${received} of ${sent} echoes came back${time}${detail === undefined ? '' : ` (${detail})`}`;
}

function pathText({ state, program, reached, hops, detail }: PathReport): string {
  if (state !== 'done') return `no path: ${state}: ${detail ?? ''}\n`;
  const lines = hops.map(({ hop, address, lossRatio, rttSeconds }) => {
    const loss = lossRatio === undefined ? '' : `${Math.round(lossRatio * 100)} % lost`;
    const time = rttSeconds === undefined ? '' : `${(rttSeconds * 1000).toFixed(1)} ms`;
    return `${String(hop).padStart(4)}  ${(address ?? 'no answer').padEnd(40)} ${loss.padStart(10)} ${time.padStart(12)}`;
  });
  const last = reached ? 'the destination answered' : 'the destination did not answer';
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n${last} (${program})\n`;
}
