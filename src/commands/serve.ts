/** The command without a name: from flags to a running exporter, from a signal to a clean end. */
import type { Config, Loaded } from '../config/config.js';
import type { Log, LogFormat, LogLevel } from '../runtime/log.js';
import { fileGate, inTime } from '../runtime/file-gate.js';
import { endByForce } from '../runtime/process-end.js';
import type { Exporter, serve } from '../serve.js';
import type { Origin } from '../wiring/parts.js';
import type { StopSignal } from '../runtime/stop-signal.js';
import { overridesOf } from './flags.js';
import { complain } from './terminal.js';

/** Flags that are looked at here; those that are settings reach the configuration through flags.ts. */
export type ServeFlags = {
  readonly 'config.file'?: string;
  readonly 'probe.allow'?: string[];
  readonly 'probe.ports'?: string[];
  readonly 'log.level': LogLevel;
  readonly 'log.format': LogFormat;
};

/** Where the exporter runs: in a terminal, or as a service. */
export type Host = {
  /** Listened to since before this was loaded. */
  readonly signal: StopSignal;
  readonly openLog: (flags: Pick<ServeFlags, 'log.level' | 'log.format'>) => Promise<Log>;
  /** Says why it does not even start. @returns the exit code that is given */
  readonly complain: (lines: readonly string[], code: number) => number;
  /** Called when it listens. */
  readonly started?: () => void;
  /** Ends the process, whatever hangs. */
  readonly endByForce: () => void;
};

/** A process of a person or of systemd: the log is standard error. */
export function terminalHost(signal: StopSignal): Host {
  return { signal, openLog: openTerminalLog, complain, endByForce };
}

/**
 * Runs until it is told to stop.
 * @returns the exit code: 0 after a clean stop, 1 when it could not start or stop, 2 for a wrong flag
 */
export async function serveCommand(files: readonly string[], flags: ServeFlags, host: Host): Promise<number> {
  const { signal } = host;
  const file = flags['config.file'];
  const load = async (): Promise<Loaded> => {
    const { loadConfig } = await import('../config/config.js');
    return loadConfig({ file, overrides: overridesOf(flags, files) });
  };
  const loaded = await Promise.race([load(), signal.first]);
  if (typeof loaded !== 'string') {
    if (!loaded.ok) return host.complain(loaded.mistakes, loaded.inFlags ? 2 : 1);
    if (loaded.config.sources.length === 0) return host.complain([nothingToRead], 1);
  }
  const log = await host.openLog(flags);
  signal.onSecond = (name) => {
    log.warn('second signal, exiting without a clean shutdown', { signal: name });
  };
  if (typeof loaded !== 'string') {
    const probeFlags = { allow: flags['probe.allow'], ports: flags['probe.ports'] };
    return run(loaded.config, { file, load, probeFlags }, { log, host });
  }
  return stoppedEarly(log, loaded);
}

/** Nothing has begun that would have to end. */
function stoppedEarly(log: Log, signal: string): number {
  log.info('stopping', { signal });
  log.info('stopped');
  return 0;
}

/** All of it, before anything begins: what has begun has to end within ten seconds, and loading may take a while. */
async function loadProgram(): Promise<{ readonly serve: typeof serve }> {
  const [program] = await Promise.all([
    import('../serve.js'),
    import('../ledger/ledger.js'),
    import('../web/http/server.js'),
  ]);
  return program;
}

async function openTerminalLog(flags: Pick<ServeFlags, 'log.level' | 'log.format'>): Promise<Log> {
  const { createLog } = await import('../runtime/log.js');
  const { withoutRepeats } = await import('../runtime/log-repeats.js');
  return withoutRepeats(createLog({ level: flags['log.level'], format: flags['log.format'] }));
}

const nothingToRead = `Nothing to read. Expected files, folders or globs with exported events, for instance
  send-connector-exporter --no-probe application.ndjson
or a configuration file that names sources (--config.file=config.yml). Reading the live Windows event log needs Windows.`;

type Run = { readonly log: Log; readonly host: Host };

async function run(config: Config, origin: Origin, { log, host }: Run): Promise<number> {
  const { signal } = host;
  const program = await Promise.race([loadProgram(), signal.first]);
  if (typeof program === 'string') return stoppedEarly(log, program);
  try {
    const starting = program.serve(config, log, origin);
    const exporter = await Promise.race([starting, signal.first.then(() => undefined)]);
    if (exporter) {
      signal.onHangup(() => void exporter.reload());
      host.started?.();
    }
    log.info('stopping', { signal: await signal.first });
    const left = await stop(exporter, starting);
    if (left.length === 0) {
      log.info('stopped');
      return 0;
    }
    log.error('forced exit: not everything stopped in time', { left: left.join('; ') });
    host.endByForce();
    return 1;
  } catch (error) {
    log.error('cannot go on', startFailure(error));
    return 1;
  }
}

/** Within ten seconds. @returns what did not end, a sentence each */
async function stop(exporter: Exporter | undefined, starting: Promise<Exporter>): Promise<readonly string[]> {
  const started = exporter ?? (await inTime(starting, startMs).catch(() => undefined));
  const left = started ? await started.stop() : ['the start'];
  const hanging = fileGate.hanging();
  return hanging === 0 ? left : [...left, `${hanging} file operations that do not return`];
}

/** A start that a signal came into is waited for. Milliseconds. */
const startMs = 1_000;

/** An Error says itself what to do about it. Any other kind is a fault of ours, and then the place of it is of use. */
function startFailure(thrown: unknown): Record<string, unknown> {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { error, ...(error.name !== 'Error' && { stack: error.stack }) };
}
