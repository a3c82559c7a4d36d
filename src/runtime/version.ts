/** The version of Sluice. */
export const VERSION = "0.1.0";
