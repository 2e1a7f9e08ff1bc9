/** Types of the plain module: see there. */
export declare function checksums(folder: string): Promise<string>;
export declare function demandReplaceable(folder: string): Promise<void>;
export declare function replacing(folder: string, make: (aside: string) => Promise<unknown>): Promise<void>;
export function setRights(checkout: string): Promise<void>;
