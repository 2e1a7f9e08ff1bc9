/** Types of the plain module: see there. */
export declare function billOfMaterials(
  version: string,
  debian?: readonly { readonly name: string; readonly version: string }[],
): Promise<string>;
