/** Checks a schema against a type declared elsewhere: any difference is a compile error. */
import type * as z from 'zod';

/** The schema itself; where it is not of exactly this type, nothing fits. */
export type OfType<Schema extends z.ZodType, Wanted> = [Plain<z.infer<Schema>>] extends [Plain<Wanted>]
  ? [Plain<Wanted>] extends [Plain<z.infer<Schema>>]
    ? Schema
    : never
  : never;

/** To JSON a member that is undefined is one that is absent; who may write into it does not matter. */
type Plain<Data> = Data extends object
  ? {
      -readonly [Member in keyof Data]-?: undefined extends Data[Member]
        ? { readonly orAbsent: Plain<Exclude<Data[Member], undefined>> }
        : Plain<Data[Member]>;
    }
  : Data;
