// tags.ts: which tests take long.

/** The tag of tests that only `npm run test:all` runs. */
export const EXTENDED = 'extended';
/** Options of such a test, or of a `describe` with such tests. */
export const extended = { tags: [EXTENDED] };
