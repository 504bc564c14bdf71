// The library: for TypeScript tools with a generate command of their own.
export type { GenerateEvent } from './contract/contract.ts';
export {
  type GenerateFacts,
  type InstrumentOptions,
  instrumentGenerate,
  type RecordOptions,
  recordGenerate,
} from './library/library.ts';
