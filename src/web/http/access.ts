/** The web configuration in force: re-read when a file of it changes, the last good one kept while it is wrong. */
import { loadWebConfig, openToAll, type LoadedWebConfig, type WebConfig } from '../../config/web-config.js';
import type { Log } from '../../runtime/log.js';
import { watchFiles } from '../../runtime/watch-files.js';

export type Access = {
  readonly current: () => WebConfig;
  /** What is wrong with the files as they are now, or undefined. */
  readonly problem: () => string | undefined;
  /** Called after each change with the new configuration. */
  readonly onChange: (use: (config: WebConfig) => Promise<void>) => void;
  /** Reads the files again, changed or not. @returns whether they are in force now */
  readonly reload: () => Promise<boolean>;
  readonly close: () => void;
};

/**
 * Reads the web configuration and watches its files.
 * @param file undefined: open to all, without TLS
 * @throws when the file is wrong at the start: better not to serve than to serve more people than was meant
 */
export async function openAccess(file: string | undefined, log: Log): Promise<Access> {
  if (file === undefined) return unwatched;
  const first = await loadWebConfig(file);
  if (!first.ok) throw new Error(first.mistakes.join('\n'));
  const users: ((config: WebConfig) => Promise<void>)[] = [];
  let current = first.config;
  let mistakes: readonly string[] = [];
  let files = current.files;
  let reading: Promise<void> = Promise.resolve();

  let told: readonly string[] = [];
  const tell = ({ doubts }: WebConfig): void => {
    for (const doubt of doubts)
      if (!told.includes(doubt)) log.warn('the web configuration is in force, but', { doubt });
    told = doubts;
  };
  tell(current);

  const take = async (loaded: LoadedWebConfig): Promise<void> => {
    if (!loaded.ok) {
      const isNew = loaded.mistakes.join() !== mistakes.join();
      ({ mistakes, files } = loaded);
      if (isNew) log.error('the web configuration is invalid; the last good one stays in force', { mistakes });
      return;
    }
    mistakes = [];
    ({ files } = loaded.config);
    current = loaded.config;
    tell(current);
    for (const use of users) await use(current);
    log.info('the web configuration was read again', { file });
  };
  const reload = async (): Promise<boolean> => {
    reading = reading.then(async () => take(await loadWebConfig(file)));
    await reading;
    return mistakes.length === 0;
  };
  const watch = watchFiles(() => files, reload);
  return {
    current: () => current,
    problem: () => (mistakes.length > 0 ? mistakes.join('; ') : undefined),
    onChange: (use) => users.push(use),
    reload,
    close: watch.close,
  };
}

const unwatched: Access = {
  current: () => openToAll,
  problem: () => undefined,
  onChange: () => undefined,
  reload: () => Promise.resolve(true),
  close: () => undefined,
};
