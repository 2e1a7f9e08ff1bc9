/** A type of data that nobody writes into, all the way down. */
export type Immutable<Data> = Data extends object ? { readonly [Member in keyof Data]: Immutable<Data[Member]> } : Data;
