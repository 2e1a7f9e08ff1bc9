/** What a kind of source is: its settings, what is read by them, and how that is followed. sources.ts lists the kinds. */
import type { RequestListener } from 'node:http';
import type * as z from 'zod';
import type { Batch, Checkpoint } from '../../model/batch.js';
import type { HandshakeCounts } from '../../model/handshakes.js';
import type { JoinState } from '../../model/sessions.js';
import type { SourceStatus } from '../../model/status.js';
import type { Log } from '../../runtime/log.js';
import type { Sessions } from '../transport/sessions.js';

/** One thing that is read, and that says by itself when it cannot be: a path, a channel. */
export type Part = {
  /** As a person named it: the label `source`, and what is said at the start. */
  readonly name: string;
  /** Server for records that do not name their computer; empty where records of many servers come. */
  readonly server: string;
};

/** A setting of a source that another source has already. */
export type Clash = {
  /** Of the later one of the two, in the list of all sources. */
  readonly index: number;
  readonly path: readonly (string | number)[];
  /** What was expected; names the other place. */
  readonly message: string;
  /** What was found. */
  readonly input: unknown;
};

/** A kind of source. All is asked of the kind once for all settings of it that a configuration has. */
export type SourceKind<Settings extends z.ZodType = z.ZodType, Own extends Part = Part> = {
  /** The word in the configuration: `type: file`; also the literal of `type` in the settings. */
  readonly type: string;
  /** One entry of `sources`, from the helpers of config/forms.ts: they say what was expected. */
  readonly settings: Settings;
  /**
   * The settings with their paths as seen from here, where they hold paths.
   * @param seen a path of the configuration file, which is relative to that file
   */
  besideFile?(settings: z.input<Settings>, seen: (path: string) => string): z.input<Settings>;
  /**
   * What two sources of this kind must not both have: they would read the same, or only one of them would.
   * @param settings with their index in the list of all sources
   */
  clashes?(settings: readonly { readonly index: number; readonly settings: z.output<Settings> }[]): readonly Clash[];
  /** What is read by these settings, each once. */
  parts(settings: readonly z.output<Settings>[]): readonly Own[];
  /** The server whose records alone can be in there; undefined when they may be of any. */
  onlyServer(settings: z.output<Settings>): string | undefined;
  /**
   * Why it cannot be read on this kind of machine at all, and what to do: `serve` does not start, `doctor` tells it.
   * Absent: it is read everywhere.
   */
  refusal?(platform: NodeJS.Platform): string | undefined;
  /** Records are sent to it: it listens for them, which only one process can do. */
  readonly isPushed?: true;
  /** Follows all parts until stopped. Loads the code for it: a command that reads nothing does without. */
  follow(parts: readonly Own[], reading: Reading): Promise<Followed>;
};

/** What a source is handed: where to begin, whom to tell, and what others know. */
export type Reading = {
  /** Saved checkpoints of all that was ever read. */
  readonly checkpoints: () => readonly Checkpoint[];
  /** Told of checkpoints that nobody needs any more: their files or topics are gone. */
  readonly forget?: (checkpoints: readonly Checkpoint[]) => void;
  /** Resolves when reading may go on; evidence and checkpoint are entered together. */
  readonly post: (batch: Batch) => Promise<void>;
  /**
   * Resolves when all that was posted by now is on disk: for senders that are answered only then.
   * @throws when the exporter ends before that
   */
  readonly saved: () => Promise<void>;
  /** Opens a listener for HTTP, with the TLS and the users of a web configuration. */
  readonly listen: Listen;
  /** The join of the transport logs, of whatever source their rows come. */
  readonly joined?: Sessions | undefined;
  readonly knownConnectors: () => readonly string[];
  /** Sessions of the transport logs that were open after all that was entered. */
  readonly sessions: () => readonly JoinState[];
  /** Name of the Send connector of a GUID, as the connectivity log has it. */
  readonly connectorOfGuid: (guid: string) => string | undefined;
  /** Its port for smart hosts. */
  readonly portOfGuid?: (guid: string) => number | undefined;
  /** Whether the inventory has a Send connector of this name. */
  readonly isListed?: (name: string) => boolean;
  /** The one name of a server, by any of its names. */
  readonly nameOfServer?: (name: string) => string;
  /** The one name of a Send connector, as the transport logs have taught it. */
  readonly nameOf?: ((connector: string) => string) | undefined;
  readonly log: Log;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** A clock that only goes forward, for durations: nobody sets it. Milliseconds. @default performance.now */
  readonly steady?: (() => number) | undefined;
};

/** Opens a listener of a source. @throws when its address or its files are not to be had, with the remedy */
export type Listen = (options: {
  /** Label of the source. */
  readonly source: string;
  readonly at: { readonly host?: string; readonly port: number };
  readonly webConfigFile: string | undefined;
  /** Whether the header of a request carries a token that lets it in; absent: there is none. */
  readonly isToken: ((authorization: string | undefined) => boolean) | undefined;
  /** Whether everybody who can reach it may come in: on loopback only. */
  readonly mayBeOpen: boolean;
  /** Gets the requests of those who are let in. */
  readonly inside: RequestListener;
  /** Told of each request that is not let in. */
  readonly refused: () => void;
  readonly log: Log;
}) => Promise<Listening>;

export type Listening = {
  /** URL under which it listens; undefined when a changed web configuration would let everybody in. */
  readonly address: () => string | undefined;
  /** TLS handshakes that failed; undefined where no TLS is spoken. */
  readonly handshakes: () => HandshakeCounts | undefined;
  /** What is wrong with its files now: a sentence with the remedy. */
  readonly problem: () => string | undefined;
  /** Ends after answers under way are sent, at the latest after two seconds. */
  readonly close: () => Promise<void>;
};

/** What is being followed. */
export type Followed = {
  /** How each part stands: for the metrics, the pages, and `doctor`. */
  readonly statuses: () => readonly SourceStatus[];
  /** True while every part is read to its end; one that has fallen behind is not. */
  readonly caughtUp: () => boolean;
  /** True while the first read of a part goes on. */
  readonly readingHistory: () => boolean;
  /** Somebody looks: reads what has come by now, unless that takes longer than a moment. Absent: it is read as it comes. */
  readonly look?: () => Promise<void>;
  /** Does not wait for what the system does not answer. */
  readonly stop: () => Promise<void>;
};
