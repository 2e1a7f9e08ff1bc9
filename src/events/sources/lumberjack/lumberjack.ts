/** Listens for senders of Lumberjack 2, and acknowledges what is saved. */
import type { Socket } from 'node:net';
import { type PeerCertificate, TLSSocket } from 'node:tls';
import { withoutMapping } from '../../../model/endpoint.js';
import { serverLabelOf } from '../../../model/label.js';
import { withoutRepeats } from '../../../runtime/log-repeats.js';
import type { Log } from '../../../runtime/log.js';
import { type PushListener, followListeners, keepOpening } from '../push/listeners.js';
import { createEntry } from '../push/entry.js';
import { createTally } from '../push/tally.js';
import type { Followed, Reading } from '../source.js';
import { type Receiver, type Sender, serveSender } from './connection.js';
import { listen } from './listener.js';
import type { LumberjackPart } from './part.js';

export function followLumberjack(parts: readonly LumberjackPart[], reading: Reading): Promise<Followed> {
  return followListeners(parts, (part) => openSource(part, reading));
}

/** What was taken is saved, or not, within this time. */
const drainMs = 2_000;

async function openSource(part: LumberjackPart, reading: Reading): Promise<PushListener> {
  const { name: source } = part;
  const log = withoutRepeats(reading.log);
  const tally = createTally(source, reading.now);
  const senders = new Map<Socket, Promise<void>>();
  let isStopped = false;
  const receiver: Receiver = {
    source,
    entry: createEntry(source, reading, reading.joined),
    tally,
    log,
    isDraining: () => isStopped,
  };
  const welcome = (socket: Socket): void => {
    socket.on('error', () => undefined);
    socket.setKeepAlive(true, 60_000).setNoDelay(true);
    const served = serveSender(socket, receiver, senderOf(socket, part, log)).finally(() => senders.delete(socket));
    senders.set(socket, served);
  };
  const opening = await keepOpening(
    source,
    reading.log,
    () => listen(part, log, welcome),
    (listener) => ({ address: listener.address() }),
  );
  return {
    status: () => {
      const listener = opening.open();
      const wrong = opening.problem() ?? listener?.problem();
      const status = tally.status(listener !== undefined, wrong ?? `listens on ${listener?.address()}`);
      return { ...status, handshakes: listener?.handshakes() };
    },
    stop: async () => {
      isStopped = true;
      await opening.end();
      opening.open()?.close();
      await drain(senders);
    },
  };
}

/** Idle senders are hung up on at once, the others when their windows are saved. */
async function drain(senders: ReadonlyMap<Socket, Promise<void>>): Promise<void> {
  for (const socket of senders.keys()) socket.push(null);
  const late = setTimeout(() => {
    for (const socket of senders.keys()) socket.destroy();
  }, drainMs);
  await Promise.all(senders.values());
  clearTimeout(late);
}

function senderOf(socket: Socket, { clients }: LumberjackPart, log: Log): Sender {
  const name = withoutMapping(socket.remoteAddress ?? 'unknown');
  const names = socket instanceof TLSSocket ? namesOf(socket.getPeerCertificate()) : [];
  const client = clients.find(({ subject }) => names.includes(subject.toLowerCase()));
  if (!client) return { name, server: undefined, mayName: undefined };
  const own = serverLabelOf(client.server);
  const mayName = (server: string): boolean => {
    if (isSameServer(own, server) || server === 'unknown') return true;
    log.warn('rejected a record: its sender may only send those of another server', {
      sender: name,
      certificate: client.subject,
      named: server,
      may: own,
      remedy: 'a collector of forwarded events needs a certificate that is not in clients',
    });
    return false;
  };
  return { name, server: client.server, mayName };
}

/** One may have its full name and the other not. */
function isSameServer(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}

/** Common name and DNS names, in lower case; a quoted one is none, for it may hold a forged separator. */
function namesOf({ subject, subjectaltname = '' }: Partial<PeerCertificate>): string[] {
  const common = subject?.CN;
  const dns = subjectaltname.split(', ').flatMap((entry) => /^DNS:([^"]+)$/.exec(entry)?.[1] ?? []);
  return [...(typeof common === 'string' ? [common] : []), ...dns].map((each) => each.toLowerCase());
}
