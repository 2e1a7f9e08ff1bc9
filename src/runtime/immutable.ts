/** Deeply read-only data. */
export type Immutable<Data> = Data extends object ? { readonly [Member in keyof Data]: Immutable<Data[Member]> } : Data;
