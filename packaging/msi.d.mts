/** Types of the plain module: see there. */
export declare function buildMsi(given: {
  readonly program: string;
  readonly folder: string;
  readonly version?: string;
}): Promise<string>;
