// index.ts: the library, for TypeScript tools with a generate command of their own.
export type { GenerateEvent } from './contract/contract.ts';
export { type InstrumentOptions, instrumentGenerate } from './library/instrument.ts';
export { type GenerateFacts, type RecordOptions, recordGenerate } from './library/library.ts';
