/** Types of the plain module: see there. */
export declare function licences(apacheText?: string): Promise<string>;
