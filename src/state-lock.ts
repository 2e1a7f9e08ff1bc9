/** Lets only one exporter use a state folder: two would count every event twice and overwrite each other. */
import { createHash } from 'node:crypto';
import { realpath, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import os from 'node:os';
import path from 'node:path';

/**
 * Takes the folder for this process. The lock is a local socket on which the owner answers with its process id: the
 * system takes it back when the process dies, however it dies, and a left-over socket answers nobody.
 * @returns a function that gives the folder back
 * @throws when another exporter has the folder; the message names its process id
 */
export async function lockStateFolder(directory: string): Promise<() => Promise<void>> {
  const real = await realpath(directory);
  const unlockName = await lockName(real, directory);
  try {
    const unlock = await lockSocket(real, directory);
    return async () => {
      await Promise.all([unlock(), unlockName()]);
    };
  } catch (error) {
    await unlockName();
    throw error;
  }
}

/** Linux has sockets without a file, which nobody can delete: one is named after the folder, whatever path leads to it. */
async function lockName(real: string, directory: string): Promise<() => Promise<void>> {
  const free = (): Promise<void> => Promise.resolve();
  if (process.platform !== 'linux') return free;
  const { dev, ino } = await stat(real, { bigint: true });
  const at = `\0send-connector-exporter@${dev}:${ino}`;
  return listen(at).catch(async () => {
    const owner = await ownerOf(at);
    // Anybody may take such a name: who does not answer as an exporter locks nothing, and the socket in the folder holds.
    if (owner !== undefined && /^\d+$/.test(owner)) throw new Error(inUse(owner, directory));
    return free;
  });
}

function inUse(owner: string, directory: string): string {
  return `another exporter (process ${owner}) uses ${directory}; stop it, or give this one a folder of its own with --state.directory`;
}

async function lockSocket(real: string, directory: string): Promise<() => Promise<void>> {
  let at = socketIn(real);
  for (let attempt = 1; ; attempt++) {
    try {
      return await listen(at);
    } catch (error) {
      if (attempt === 4) throw error;
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
        // A folder that is read-only or cannot hold sockets: that is for the first save to say.
        at = socketBeside(real);
        continue;
      }
    }
    const owner = await ownerOf(at);
    if (owner !== undefined) {
      throw new Error(inUse(owner, directory));
    }
    // Left over by a process that was killed: nobody answers.
    await rm(at, { force: true });
  }
}

/** @returns the process id of the exporter that uses the folder, or undefined when none answers */
export async function ownerOfStateFolder(directory: string): Promise<string | undefined> {
  const real = await realpath(directory);
  return (await ownerOf(socketIn(real))) ?? (await ownerOf(socketBeside(real)));
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
