/** Types of the plain module: see there. */
export declare function debianVersion(version: string): string;
export declare function buildDeb(given: { readonly folder: string; readonly version?: string }): Promise<string>;
