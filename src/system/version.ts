// The package's version and the oldest Node for it, kept equal to package.json by `npm run
// generate`.
export const version = '0.1.0';
export const oldestNode = '22.15';
