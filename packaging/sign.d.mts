/** Types of the plain module: see there. */
type How = { readonly pkcs12: string; readonly passwordFile?: string; readonly timestamp?: string };

export declare function signFile(file: string, how: How): Promise<void>;
export declare function signAll(folder: string, how: How & { readonly version?: string }): Promise<string[]>;
