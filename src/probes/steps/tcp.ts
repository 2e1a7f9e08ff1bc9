/** Does the port accept a connection? */
import { isFailure } from '../reason.js';
import type { Step } from './step.js';

export const tcp: Step = {
  name: 'tcp',
  applies: () => true,
  fatal: () => true,
  async run({ address, target, settings, limits, talk, note, facts }) {
    facts.address = address;
    const { sourceAddress } = settings;
    const source = sourceAddress && !anyAddress.has(sourceAddress) ? { localAddress: sourceAddress } : {};
    const socket = await talk.connect({ host: address, port: target.port, ...source }, limits.connectMs);
    if (isFailure(socket)) return socket;
    note(
      `connected to ${address} port ${target.port} from ${socket.localAddress ?? '?'} port ${socket.localPort ?? '?'}`,
    );
    return undefined;
  },
};

/** How Get-SendConnector writes "whichever address the system picks". */
const anyAddress: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
