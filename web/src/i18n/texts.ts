/** What a translation of `T` has to have: the same keys, any text. Plural forms may differ. */
export type Texts<T> = { [K in keyof T]: T[K] extends string ? string : Texts<T[K]> };
