/** Types of the plain module: see there. */
export type Change = { readonly file: string; readonly from: string; readonly to: string };
export declare function bundle(options?: { readonly changes?: readonly Change[] }): Promise<string>;
export declare function nodeExe(version: string): Promise<string>;
export declare function koffiNode(): Promise<string>;
export declare function buildExe(folder: string): Promise<string>;
export declare function withoutSignature(program: Buffer): Buffer;
