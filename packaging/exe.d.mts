/** Types of the plain module: see there. */
export declare function nodeExe(version: string): Promise<string>;
export declare function koffiNode(): Promise<string>;
export declare function buildExe(folder: string): Promise<string>;
export declare function programOf(node: Buffer, given: { readonly blob: Buffer; readonly version: string }): Buffer;
