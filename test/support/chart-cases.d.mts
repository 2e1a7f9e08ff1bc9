/** Types of the plain module: see there. */
type Values = Readonly<Record<string, unknown>>;

export declare const fitting: Readonly<
  Record<'plain' | 'pair' | 'odd' | 'pushed', { readonly release: string; readonly values: Values }>
>;
export declare const unfit: Readonly<Record<string, readonly [values: Values, why: string]>>;
export declare const refused: Readonly<Record<string, readonly [values: Values, why: string]>>;
export declare const fixed: { readonly version: string; readonly rules: string };
export declare function sumOfChart(folder: string): string;
