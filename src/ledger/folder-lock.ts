/** Lets only one exporter use a state folder: two would count every event twice and overwrite each other. */
import { createHash } from 'node:crypto';
import { realpath, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import os from 'node:os';
import path from 'node:path';

export type StateLock = {
  /**
   * Takes again what was deleted under the lock: its socket, or the whole folder, which must have been made again.
   * @throws when another exporter has taken the folder meanwhile, and the error of the system without a folder
   */
  readonly renew: () => Promise<void>;
  /** Gives the folder back. */
  readonly release: () => Promise<void>;
};

/**
 * Takes the folder for this process. The lock is a local socket on which the owner answers with its process id: the
 * system takes it back when the process dies, however it dies, and a left-over socket answers nobody.
 * @throws when another exporter has the folder; the message names its process id
 */
export async function lockStateFolder(directory: string, platform = process.platform): Promise<StateLock> {
  const held: Held = { name: undefined, socket: undefined, servers: [] };
  const renew = async (): Promise<void> => {
    const real = await realpath(directory);
    await lockName(held, real, directory, platform);
    await lockSocket(held, real, directory);
  };
  const release = async (): Promise<void> => {
    for (const close of held.servers.splice(0)) await close();
  };
  try {
    await renew();
  } catch (error) {
    await release();
    throw error;
  }
  return { renew, release };
}

/** What this process listens on: a name, and a socket with what tells its file from another. */
type Held = {
  name: string | undefined;
  socket: { readonly at: string; readonly file: string | undefined } | undefined;
  /** Those that were deleted stay open: closing one removes the file that has taken its place. */
  readonly servers: (() => Promise<void>)[];
};

/** Linux has sockets without a file, which nobody can delete: one is named after the folder, whatever path leads to it. */
async function lockName(held: Held, real: string, directory: string, platform: NodeJS.Platform): Promise<void> {
  const at = platform === 'linux' ? await nameOf(real) : undefined;
  if (at === undefined || at === held.name) return;
  try {
    held.servers.push(await listen(at));
    held.name = at;
  } catch {
    const owner = await ownerOf(at);
    // Anybody may take such a name: who does not answer as an exporter locks nothing, and the socket in the folder holds.
    if (owner !== undefined && /^\d+$/.test(owner)) throw new Error(inUse(owner, directory));
  }
}

async function nameOf(real: string): Promise<string> {
  const { dev, ino } = await stat(real, { bigint: true });
  return `\0send-connector-exporter@${dev}:${ino}`;
}

function inUse(owner: string, directory: string): string {
  return `another exporter (process ${owner}) uses ${directory}; stop it, or give this one a folder of its own with --state.directory`;
}

async function lockSocket(held: Held, real: string, directory: string): Promise<void> {
  let at = held.socket?.at ?? socketIn(real);
  if (held.socket && held.socket.file === (await fileAt(at))) return;
  for (let attempt = 1; ; attempt++) {
    try {
      held.servers.push(await listen(at));
      held.socket = { at, file: await fileAt(at) };
      return;
    } catch (error) {
      if (attempt === 4) throw error;
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
        // A folder that is read-only or cannot hold sockets: that is for the first save to say.
        if (at !== socketBeside(real)) {
          at = socketBeside(real);
          continue;
        }
        // Nor can the one for temporary files, as in a container that is read-only: the name holds, where there is one.
        if (held.name !== undefined) return;
        const why = `neither it nor ${os.tmpdir()} holds a socket: ${(error as Error).message}`;
        throw new Error(`${directory}: cannot be locked, ${why}`, { cause: error });
      }
    }
    const owner = await ownerOf(at);
    if (owner !== undefined) throw new Error(inUse(owner, directory));
    // Left over by a process that was killed: nobody answers. On a disk that is read-only it stays.
    const stays = await rm(at, { force: true }).then(
      () => false,
      () => true,
    );
    if (stays && at === socketBeside(real) && held.name !== undefined) return;
    if (stays) at = socketBeside(real);
  }
}

/** Undefined where there is no file, as for the pipes of Windows: those cannot be deleted. Inodes alone are used again. */
async function fileAt(at: string): Promise<string | undefined> {
  if (process.platform === 'win32') return undefined;
  return stat(at, { bigint: true }).then(
    ({ ino, birthtimeNs }) => `${ino}:${birthtimeNs}`,
    () => undefined,
  );
}

/** @returns the process id of the exporter that uses the folder, or undefined when none answers */
export async function ownerOfStateFolder(directory: string): Promise<string | undefined> {
  const real = await realpath(directory);
  const named = process.platform === 'linux' ? await ownerOf(await nameOf(real)) : undefined;
  return named ?? (await ownerOf(socketIn(real))) ?? (await ownerOf(socketBeside(real)));
}

/** Paths of sockets are short (about 100 bytes); Windows has pipes instead. */
function socketIn(directory: string): string {
  const inside = path.join(directory, 'exporter.sock');
  return process.platform === 'win32' || Buffer.byteLength(inside) >= 100 ? socketBeside(directory) : inside;
}

function socketBeside(directory: string): string {
  const name = `send-connector-exporter-${createHash('sha256').update(directory).digest('hex').slice(0, 16)}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : path.join(os.tmpdir(), `${name}.sock`);
}

function listen(at: string): Promise<() => Promise<void>> {
  return new Promise((resolve, reject) => {
    const server = createServer((client) => {
      client.on('error', () => undefined);
      client.end(String(process.pid));
    });
    server.once('error', reject);
    server.listen(at, () => {
      // The lock alone keeps no process alive.
      server.unref();
      resolve(() => closed(server));
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

const answerMs = 3_000;

/** The process id that the owner answers with; undefined when nobody answers. */
function ownerOf(at: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    const client = connect(at);
    client.setEncoding('utf8').on('data', (text: string) => (answer += text));
    client.on('error', () => {
      resolve(undefined);
    });
    // An exporter answers at once; whoever holds the socket and says nothing must not hold up the start.
    client.setTimeout(answerMs, () => {
      client.destroy();
      resolve('unknown');
    });
    client.on('close', (failed) => {
      if (!failed) resolve(answer === '' ? 'unknown' : answer);
    });
  });
}
