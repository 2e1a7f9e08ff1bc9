/** The checks of `doctor` on the machine itself: folders, ports, the registry, the network. */
import { execFile } from 'node:child_process';
import { open, rm, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Config, ListenAddress } from '../config/config.js';
import { destinationOf } from '../model/endpoint.js';
import { LedgerFileError, type SavedLedger } from '../ledger/saved.js';
import { loadLedgerFile } from '../ledger/open-saved.js';
import { makeFolder } from '../runtime/make-folder.js';
import type { Target } from '../model/connectors.js';
import { createPolicy } from '../probes/policy.js';
import { openProber } from '../probes/probing.js';
import { ownerOfStateFolder } from '../ledger/folder-lock.js';
import { diskFinding, type Finding } from './findings.js';

export type StateFolder = {
  readonly findings: readonly Finding[];
  readonly ledger: SavedLedger | undefined;
  /** Process id of the exporter that uses it. */
  readonly owner: string | undefined;
};

/** Can be made or is there, can be written, holds a ledger that can be read, and its disk is not full. */
export async function checkStateFolder(directory: string): Promise<StateFolder> {
  const trouble = await writeTrouble(directory);
  if (trouble !== undefined) {
    const remedy = 'give the account of the exporter write permission, or choose another folder with --state.directory';
    return {
      findings: [{ check: 'state folder', state: 'failed', text: `${directory}: ${trouble}`, remedy }],
      ledger: undefined,
      owner: undefined,
    };
  }
  const owner = await ownerOfStateFolder(directory);
  const by = owner === undefined ? 'no exporter uses it at present' : `used by the exporter with process id ${owner}`;
  const { findings, ledger } = await checkLedger(path.join(directory, 'ledger.json'));
  const disk = await statfs(directory);
  return {
    findings: [
      { check: 'state folder', state: 'ok', text: `${directory}: writable; ${by}` },
      ...findings,
      diskFinding(directory, disk.bavail * disk.bsize),
    ],
    ledger,
    owner,
  };
}

/** Writes and removes a file of its own. @returns why it cannot, or undefined */
async function writeTrouble(directory: string): Promise<string | undefined> {
  const trial = path.join(directory, `doctor-${process.pid}.new`);
  try {
    await makeFolder(directory);
    await (await open(trial, 'w')).close();
    await rm(trial);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

async function checkLedger(file: string): Promise<{ findings: Finding[]; ledger: SavedLedger | undefined }> {
  const check = 'ledger';
  try {
    const ledger = await loadLedgerFile(file);
    if (ledger === undefined)
      return { findings: [{ check, state: 'ok', text: 'none yet: the first start creates it' }], ledger };
    const text = `${ledger.rows.length} destinations counted, ${ledger.checkpoints.length} files and logs read so far`;
    return { findings: [{ check, state: 'ok', text }], ledger };
  } catch (error) {
    const isNewer = error instanceof LedgerFileError && error.kind === 'newer';
    const remedy = isNewer
      ? 'the exporter does not start with it'
      : 'the next start moves it aside and starts counting over, or from the last complete save; restore a backup of the whole folder before that, if there is one';
    const finding: Finding = { check, state: 'failed', text: (error as Error).message, remedy };
    return { findings: [finding], ledger: undefined };
  }
}

/** Whether each address is free, or taken by the exporter that runs. */
export async function checkPorts(
  addresses: readonly ListenAddress[],
  isRunning: boolean,
  setting = '--web.listen-address',
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const at of addresses) {
    const where = destinationOf({ host: at.host ?? '*', port: at.port });
    const trouble = await listenTrouble(at);
    if (trouble === undefined && isRunning && at.port !== 0) {
      findings.push({
        check: 'port',
        state: 'warning',
        text: `${where}: free, though an exporter runs: it listens elsewhere`,
      });
    } else if (trouble === undefined) findings.push({ check: 'port', state: 'ok', text: `${where}: free` });
    else if (trouble === 'EADDRINUSE' && isRunning)
      findings.push({ check: 'port', state: 'ok', text: `${where}: the exporter listens` });
    else findings.push(portTrouble(where, trouble, setting));
  }
  return findings;
}

function portTrouble(where: string, code: string, setting: string): Finding {
  const finding = { check: 'port', state: 'failed' } as const;
  if (code === 'EADDRINUSE')
    return {
      ...finding,
      text: `${where}: taken by another program`,
      remedy: `stop it, or choose another with ${setting}`,
    };
  if (code === 'EACCES')
    return {
      ...finding,
      text: `${where}: this account is not allowed to listen there`,
      remedy: refusedPort(process.platform),
    };
  return {
    ...finding,
    text: `${where}: ${code}`,
    remedy: `choose an address of this machine with ${setting}`,
  };
}

/** Windows refuses a port in this way that it keeps for another program, whatever its number. */
function refusedPort(platform: NodeJS.Platform): string {
  if (platform !== 'win32') return 'choose a port above 1023';
  return 'choose a port outside the ranges of: netsh int ipv4 show excludedportrange protocol=tcp';
}

function listenTrouble({ host, port }: ListenAddress): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
    server.listen(port, host, () =>
      server.close(() => {
        resolve(undefined);
      }),
    );
  });
}

/** The level in the registry of this machine; elsewhere it cannot be seen. */
export async function checkEventLevel(platform: NodeJS.Platform): Promise<Finding> {
  const check = 'event level';
  const ask =
    'Get-EventLogLevel "SERVER\\MSExchangeTransport\\SmtpSend" in the Exchange shell: High or Expert writes event 2002';
  if (platform !== 'win32')
    return { check, state: 'skipped', text: 'stored in the registry of each Exchange server', remedy: ask };
  const key = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeTransport\\Diagnostics';
  const output = await promisify(execFile)('reg.exe', ['query', key], { windowsHide: true, timeout: 10_000 }).then(
    ({ stdout }) => stdout,
    () => '',
  );
  return (
    eventLevelFinding(output) ?? {
      check,
      state: 'skipped',
      text: 'no Exchange transport service on this machine',
      remedy: ask,
    }
  );
}

/**
 * From the output of `reg query`, in any language: `    2 SmtpSend    REG_DWORD    0x5`. Levels: Lowest 0, Low 1, Medium 3,
 * High 5, Expert 7 (decompiled Exchange 2013).
 */
export function eventLevelFinding(output: string): Finding | undefined {
  const level = /^[ \t]*2 SmtpSend[ \t]+REG_DWORD[ \t]+0x([0-9a-f]+)[ \t]*$/im.exec(output)?.[1];
  if (level === undefined) return undefined;
  const check = 'event level';
  const value = Number.parseInt(level, 16);
  if (value >= 5) return { check, state: 'ok', text: `SmtpSend logs at level ${value}: event 2002 is written` };
  return {
    check,
    state: 'failed',
    text: `SmtpSend logs at level ${value}: event 2002 is not written`,
    remedy: 'Set-EventLogLevel "SERVER\\MSExchangeTransport\\SmtpSend" -Level High, in the Exchange shell',
  };
}

/** More would take long, and the first few tell whether mail gets out at all. */
const mostVisits = 5;

/** One real visit, without mail, to each of the first own destinations: names, port 25, greeting, TLS. */
export async function checkOutbound({ probe }: Config, targets: readonly Target[]): Promise<Finding[]> {
  const check = 'outbound';
  if (!probe.enabled) return [{ check, state: 'skipped', text: 'probing is off' }];
  if (targets.length === 0)
    return [
      {
        check,
        state: 'skipped',
        text: 'no destination of your own is known',
        remedy: 'name one in destinations.static, or set inventory.file',
      },
    ];
  const prober = await openProber({ ...probe, timeout: Math.min(probe.timeout, 15_000) }, createPolicy(probe));
  const visits = targets.slice(0, mostVisits).map((target) => prober.visit(target, AbortSignal.timeout(60_000)));
  const results = (await Promise.all(visits)).flat();
  return results.map(({ destination, success, failedStep, reason, seconds }): Finding =>
    success
      ? { check, state: 'ok', text: `${destination}: answers, ${(seconds * 1000).toFixed(0)} ms` }
      : {
          check,
          state: 'failed',
          text: `${destination}: ${failedStep ?? 'visit'} failed: ${reason ?? 'other'}`,
          remedy: `send-connector-exporter probe ${destination} shows every step`,
        },
  );
}

/** Files that hold secrets and can be read by everybody. */
export async function checkSecrets(files: readonly string[]): Promise<Finding[]> {
  if (process.platform === 'win32') return [];
  const open: string[] = [];
  for (const file of files) {
    const mode = await stat(file).then(
      ({ mode }) => mode,
      () => 0,
    );
    if ((mode & 0o004) !== 0) open.push(file);
  }
  return open.map((file) => ({
    check: 'secrets',
    state: 'warning',
    text: `${file}: everybody on this machine can read it`,
    remedy: `chmod 640 ${file}`,
  }));
}
