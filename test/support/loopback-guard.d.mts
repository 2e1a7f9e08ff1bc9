/** Types of the plain module: see there. */
export declare const attempts: string[];
export declare function isLoopback(host: string): boolean;
