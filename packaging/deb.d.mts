/** Types of the plain module: see there. */
export declare function debianVersion(version: string): string;
