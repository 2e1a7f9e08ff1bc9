/** Types of the plain module: see there. */
export declare function tarOf(
  folder: string,
  given: {
    readonly epoch: number;
    readonly names?: readonly string[];
    readonly mode?: string;
    readonly owned?: { readonly place: string; readonly owner: number };
  },
): Buffer;
export declare function writeImage(given: {
  readonly rootfs: Buffer;
  readonly config: { readonly config: { readonly Labels: Readonly<Record<string, string>> } };
  readonly name: string;
  readonly tag: string;
  readonly epoch: number;
  readonly file: string;
}): Promise<string>;
