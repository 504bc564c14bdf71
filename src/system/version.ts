// version.ts: made from package.json by `npm run generate`; do not edit. The version of the
// package, and the oldest Node that it runs on.
export const version = '0.1.0';
export const oldestNode = '22.15';
