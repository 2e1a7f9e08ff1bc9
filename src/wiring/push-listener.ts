/** The listener of a push source, with the same TLS and logins as the pages. */
import type { WebConfig } from '../config/web-config.js';
import type { Listen } from '../events/sources/source.js';
import { createHandshakes } from '../model/handshakes.js';
import { openAccess } from '../web/http/access.js';
import { requireLogin } from '../web/http/authentication.js';
import { type Listeners, listenOn } from '../web/http/listeners.js';
import { createPlaces } from '../web/http/places.js';

export const listenForRecords: Listen = async (options) => {
  const { source, at, webConfigFile, isToken, mayBeOpen, inside, refused, log } = options;
  const access = await openAccess(webConfigFile, log);
  const isGuarded = (config: WebConfig): boolean => mayBeOpen || isToken !== undefined || knowsClients(config);
  const places = createPlaces({ now: () => performance.now(), log });
  const handshakes = createHandshakes(source, log);
  const guarded = requireLogin(access, log, inside, { isToken, refused });
  const open = (config: WebConfig): Promise<Listeners> =>
    listenOn([at], config, guarded, places.enter, handshakes).catch((error: unknown) => {
      const { message } = error as Error;
      throw new Error(message.replace('--web.listen-address', 'listenAddress'), { cause: error });
    });
  let listeners: Listeners | undefined;
  try {
    if (!isGuarded(access.current())) throw new Error(unguarded(source));
    listeners = await open(access.current());
  } catch (error) {
    access.close();
    throw error;
  }
  access.onChange(async (config) => {
    if (isGuarded(config)) {
      if (listeners) await listeners.use(config);
      else listeners = await open(config);
      return;
    }
    log.error('closed the listener of a source that is no longer protected', { source, problem: unguarded(source) });
    await listeners?.close();
    listeners = undefined;
  });
  return {
    address: () => listeners?.addresses()[0],
    handshakes: handshakes.counts,
    problem: () => access.problem() ?? (listeners ? undefined : unguarded(source)),
    close: async () => {
      access.close();
      await listeners?.close();
    },
  };
};

/** Whether nobody gets in without a login or a certificate. */
export function knowsClients({ users, tls }: WebConfig): boolean {
  return users.size > 0 || tls?.clientAuth === 'RequireAndVerifyClientCert';
}

export function unguarded(source: string): string {
  return (
    `${source}: anyone who can reach this address could send records; set webConfigFile with users or with ` +
    'client_auth_type RequireAndVerifyClientCert, or bearerTokenFile, or listen on 127.0.0.1'
  );
}
