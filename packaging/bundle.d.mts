/** Types of the plain module: see there. */
import type { Plugin } from 'esbuild';

export declare function bundle(plugins?: readonly Plugin[]): Promise<string>;
