/** Types of the plain module, as far as tests use it: see there. */
export type Workload = {
  readonly carrier: 'winlogbeat' | 'event-xml';
  /** Of event 2002 among the records, 0 to 1. */
  readonly share: number;
  readonly servers?: number;
  readonly connectors?: number;
  readonly destinations?: number;
};

export declare const hosts: readonly string[];
export declare function createWorkload(of: Workload): (time: number) => {
  readonly isError: boolean;
  readonly line: string;
};
