/** Types of the plain module: see there. */
export declare function layOutChart(
  folder: string,
  given?: { readonly version?: string; readonly rules?: string },
): Promise<string>;
