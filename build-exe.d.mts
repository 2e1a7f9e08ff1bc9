/** Types of the plain module: see there. */
import type { Plugin } from 'esbuild';

export declare function bundle(plugins?: readonly Plugin[]): Promise<string>;
export declare function nodeExe(version: string): Promise<string>;
export declare function koffiNode(): Promise<string>;
export declare function buildExe(folder: string): Promise<string>;
export declare function withoutSignature(program: Buffer): Buffer;
