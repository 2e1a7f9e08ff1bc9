/** What the exporter needs of a Kafka cluster, independent of the library: three requests, no consumer groups. */

/** How to reach a cluster and log in to it. */
export type Cluster = {
  /** `host:port`, asked one after the other until one answers. */
  readonly brokers: readonly string[];
  readonly tls?: ClusterTls | undefined;
  readonly sasl?: ClusterLogin | undefined;
};

/** Paths of PEM files; the names in the certificates of the brokers are always checked. */
type ClusterTls = {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
};

type ClusterLogin = {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512' | 'oauthbearer';
  readonly username?: string | undefined;
  /** Files are read for every connection, so that what they hold may be renewed. */
  readonly passwordFile?: string | undefined;
  readonly tokenFile?: string | undefined;
};

export type ClusterFacts = {
  readonly id: string;
  readonly topics: readonly TopicFacts[];
};

export type TopicFacts = {
  readonly name: string;
  /** Of a broker that numbers no topics: made of the name, which cannot tell a topic from one made anew. */
  readonly id: string;
  /** Number of Kafka's error; 0 when there is none. */
  readonly error: number;
  readonly partitions: readonly {
    readonly partition: number;
    /** Undefined while there is none. */
    readonly leader: number | undefined;
  }[];
};

/** A partition and the offset of the next record to be read. */
export type Wanted = {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
};

/** What a broker gave of one partition. */
export type Fetched = {
  /** As in what was wanted. */
  readonly topicId: string;
  readonly partition: number;
  readonly error: number;
  /** The offset behind the last record that every replica has. */
  readonly highWatermark: number;
  /** The offset of the first record of a transaction that is still open; else the high watermark. */
  readonly lastStable: number;
  /** Transactions that were given up: their producer, and where they begin. */
  readonly aborted: readonly { readonly producer: bigint; readonly from: number }[];
  /** Whole and half batches of records, as on the wire. */
  readonly records: Buffer;
};

/** First and next offset of a partition. */
export type Ends = {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
  readonly offset: number;
};

export type KafkaClient = {
  /** @throws KafkaProblem when no broker can be asked */
  readonly metadata: (topics: readonly string[]) => Promise<ClusterFacts>;
  /** @throws KafkaProblem when this broker cannot be asked */
  readonly offsets: (
    leader: number,
    which: 'earliest' | 'latest',
    partitions: readonly Pick<Wanted, 'topic' | 'partition'>[],
  ) => Promise<readonly Ends[]>;
  /** Waits for half a second at most where there is nothing to read. @throws KafkaProblem */
  readonly fetch: (leader: number, wanted: readonly Wanted[]) => Promise<readonly Fetched[]>;
  /** What was fetched is used no more: its memory is used again. */
  readonly done: (fetched: readonly Fetched[]) => void;
  /** Times that a connection was made again since the start. */
  readonly reconnects: () => number;
  readonly close: () => void;
};

/** Why a cluster, a topic or a partition cannot be read, with the remedy: a sentence for a person. */
export class KafkaProblem extends Error {
  override readonly name = 'KafkaProblem';
}

/** Numbers of Kafka's errors that reading knows. Source: Kafka protocol guide, "Error Codes". */
export const kafkaErrors = {
  offsetOutOfRange: 1,
  corruptMessage: 2,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeader: 6,
  topicNotAllowed: 29,
  clusterNotAllowed: 31,
  unknownTopicId: 100,
  inconsistentTopicId: 103,
} as const;
