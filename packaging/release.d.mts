/** Types of the plain module: see there. */
export declare function checksums(folder: string): Promise<string>;
export declare function emptyFolder(folder: string): Promise<void>;
export function setRights(checkout: string): Promise<void>;
