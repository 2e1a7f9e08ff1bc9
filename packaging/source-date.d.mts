/** Types of the plain module: see there. */
export declare function sourceDate(env?: NodeJS.ProcessEnv): number;
export declare function sourceRevision(): string | undefined;
