/** The command `seed`: a new exporter of a pair begins with the state of the other. */
import { loadConfig, type Config } from '../config/config.js';
import { foreignTopics, pairsIn, readState, seedFolder } from '../ledger/seed.js';
import { overridesOf } from './flags.js';
import { complain, print } from './terminal.js';

export type SeedFlags = {
  readonly from: string;
  readonly replace?: true;
  readonly 'config.file'?: string;
};

/** @returns the exit code: 0 when the state folder holds the state of the other exporter, else 1 and it is as it was */
export async function seedCommand(flags: SeedFlags): Promise<number> {
  const { from, replace = false, 'config.file': file } = flags;
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(from)) return complain([notFetched], 1);
  const loaded = await loadConfig({ file, overrides: overridesOf(flags) });
  if (!loaded.ok) return complain(loaded.mistakes, 1);
  const { config } = loaded;
  const { directory } = config.state;
  try {
    const state = await readState(from);
    refuseOtherShard(state.saved, config);
    const moved = await seedFolder(state, directory, { isReplaced: replace, now: Date.now() });
    print(`${directory}: seeded from ${state.file} (${pairsIn(state.saved)})\n`);
    if (state.unfinished > 0)
      print(
        `  the last ${state.unfinished} bytes of the journal were still being written; their events are read again\n`,
      );
    for (const each of moved) print(`  the previous file is now ${each}\n`);
    return 0;
  } catch (error) {
    return complain([(error as Error).message], 1);
  }
}

/** Who answers at an address would decide what is counted, and to give the state away is more than to show pages. */
const notFetched =
  '--from: a URL is not fetched; copy the state folder of the other exporter, ledger.json first, and name the copy';

function refuseOtherShard({ checkpoints }: Parameters<typeof pairsIn>[0], { sources }: Config): void {
  const shards = sources.flatMap((source) => (source.type === 'kafka' ? [source] : []));
  const shardOf = (topic: string) => shards.find(({ topics }) => topics.includes(topic))?.shard;
  const [topic] = foreignTopics(checkpoints, (name, partition) => {
    const { index, of } = shardOf(name) ?? { index: 0, of: 1 };
    return partition % of === index;
  });
  if (topic === undefined) return;
  throw new Error(
    `--from: has the positions of another shard of ${topic}; use the state of an exporter with the same shard`,
  );
}
