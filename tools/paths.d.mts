/** The root of the checkout, an absolute path. */
export const ROOT: string;
