/** Which name a visit gives in EHLO. */
import { ehloNameOf, literalOf } from '../model/endpoint.js';
import { fullHostName } from './host-name.js';

export type EhloNames = {
  /**
   * The name of the connector, else the configured one, else the full name of this host, else the address literal of our
   * end of the connection (RFC 5321 4.1.1.1, 4.1.3): strict servers refuse a short name with 501 or 504.
   * @param connector its Fqdn, as it was read from a file
   * @param localAddress our end of the connection
   */
  readonly nameFor: (connector: string | undefined, localAddress: string | undefined) => Promise<string>;
};

export type EhloNamesOptions = {
  /** `probe.ehloName`. */
  readonly configured?: string | undefined;
  /** @default that of the system */
  readonly hostName?: (() => Promise<string | undefined>) | undefined;
  readonly now: () => number;
};

/** The resolver may take long where DNS is down. A visit goes on with the literal then; a later one has the name. */
const patienceMs = 1000;

/** A host without a full name may get one while we run. */
const againMs = 10 * 60_000;

export function createEhloNames({ configured, hostName = fullHostName, now }: EhloNamesOptions): EhloNames {
  let learning: Learning | undefined;
  const learned = async (): Promise<string | undefined> => {
    const isOld = learning?.settled === true && learning.name === undefined && Math.abs(now() - learning.at) > againMs;
    if (learning === undefined || isOld) learning = learn(hostName, now());
    if (!learning.settled) await Promise.race([learning.done, learning.patience]);
    return learning.name;
  };
  return {
    async nameFor(connector, localAddress) {
      // A name from a file goes into a command: what is no name of a host and no literal is not sent.
      const given = ehloNameOf(connector ?? '') ?? ehloNameOf(configured ?? '');
      return given ?? ehloNameOf((await learned()) ?? '') ?? literalOf(localAddress ?? '') ?? 'localhost';
    },
  };
}

type Learning = {
  readonly at: number;
  name: string | undefined;
  settled: boolean;
  readonly done: Promise<void>;
  /** Over once it has been waited for long enough, by all visits together. */
  readonly patience: Promise<void>;
};

function learn(hostName: () => Promise<string | undefined>, at: number): Learning {
  let endPatience = (): void => undefined;
  const patience = new Promise<void>((resolve) => {
    endPatience = resolve;
  });
  const timer = setTimeout(endPatience, patienceMs);
  const settle = (name: string | undefined): void => {
    learning.name = name;
    learning.settled = true;
    clearTimeout(timer);
  };
  const done = hostName().then(settle, () => {
    settle(undefined);
  });
  const learning: Learning = { at, name: undefined, settled: false, done, patience };
  return learning;
}
