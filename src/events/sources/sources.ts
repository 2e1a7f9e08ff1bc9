/** All kinds of sources, and all that is read, of whatever kind, followed as one. */
import { files } from './files/source.js';
import { http } from './http/source.js';
import { kafka } from './kafka/source.js';
import { keepEnding } from './late-sessions.js';
import { lumberjack } from './lumberjack/source.js';
import type { Clash, Followed, Part, Reading, SourceKind } from './source.js';
import { windowsEventLog } from './windows-event-log/source.js';

/** What is told of sources keeps this order. */
export const sourceKinds = [files, windowsEventLog, kafka, http, lumberjack] as const;

/** Each is one of them, without its own types. */
const kinds: readonly SourceKind[] = sourceKinds;

/** What is read of one kind. */
export type Looked = { readonly kind: SourceKind; readonly parts: readonly Part[] };

/** Settings of a source, of whatever kind. */
type Settings = { readonly type: string };

/** What is read by these settings, kind by kind; a kind without settings has no parts. */
export function partsOf(settings: readonly Settings[]): Looked[] {
  return kinds.map((kind) => ({ kind, parts: kind.parts(settings.filter(({ type }) => type === kind.type)) }));
}

/** The server whose records alone can be in a source; undefined when they may be of any. */
export function onlyServerOf(settings: Settings): string | undefined {
  return kindOf(settings).onlyServer(settings);
}

/** What no two sources of a kind may both have, kind by kind. */
export function clashesOf(settings: readonly Settings[]): Clash[] {
  const numbered = settings.map((each, index) => ({ index, settings: each }));
  return kinds.flatMap((kind) => kind.clashes?.(numbered.filter((each) => each.settings.type === kind.type)) ?? []);
}

/** Settings as a file has them, their paths as seen from here. */
export function besideFile<Given extends Settings>(settings: Given, seen: (path: string) => string): Given {
  // A kind gives back what it is given.
  return (kindOf(settings).besideFile?.(settings, seen) ?? settings) as Given;
}

/** @throws for settings that the schema has not seen */
function kindOf({ type }: Settings): SourceKind {
  const kind = kinds.find((each) => each.type === type);
  if (!kind) throw new Error(`expected a kind of source, got ${JSON.stringify(type)}`);
  return kind;
}

/** Follows everything until stopped. */
export async function followSources(looked: readonly Looked[], reading: Omit<Reading, 'joined'>): Promise<Followed> {
  const { openSessions } = await import('../transport/open-sessions.js');
  const joined = openSessions(reading);
  const followed: Followed[] = [];
  for (const { kind, parts } of looked)
    if (parts.length > 0) followed.push(await kind.follow(parts, { ...reading, joined, nameOf: joined.nameOf }));
  const caughtUp = (): boolean => followed.every((each) => each.caughtUp());
  const first = looked.find(({ parts }) => parts.length > 0)?.parts[0]?.name ?? '';
  const stopEnding = keepEnding(joined, first, { post: reading.post, isReadToEnd: caughtUp });
  return {
    statuses: () => followed.flatMap((each) => each.statuses()),
    caughtUp,
    readingHistory: () => followed.some((each) => each.readingHistory()),
    look: async () => {
      for (const each of followed) await each.look?.();
    },
    stop: async () => {
      stopEnding();
      await Promise.all(followed.map((each) => each.stop()));
    },
  };
}
