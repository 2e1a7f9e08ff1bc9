/** Types of the plain module: see there. */
export declare function billOfMaterials(version: string): Promise<string>;
export declare function checksums(folder: string): Promise<string>;
