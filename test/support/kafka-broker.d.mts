/** A real Apache Kafka for tests and benchmarks. */
export type RunningKafka = {
  /** `host:port` of the plain listener of every broker. */
  readonly brokers: string[];
  /** `host:port` of another listener, of every broker. */
  readonly listener: (name: string) => string[];
  readonly stopNode: (id: number, signal?: NodeJS.Signals) => Promise<void>;
  readonly startNode: (id: number) => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly log: (id?: number) => string;
};

export type KafkaOptions = {
  readonly brokers?: number;
  readonly properties?: Readonly<Record<string, string | number>>;
  readonly listeners?: Readonly<
    Record<
      string,
      { readonly protocol: string; readonly host?: string; readonly settings?: Readonly<Record<string, string>> }
    >
  >;
};

/** Whether its jars are there: says loudly when not, and throws on CI. */
export function hasKafka(): boolean;
export function startKafka(options?: KafkaOptions): Promise<RunningKafka>;
