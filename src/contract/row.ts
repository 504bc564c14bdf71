// row.ts: the columns of the table of fields (fields.ts).
import type { ATTRIBUTE_TYPES, NUMBER_TYPES } from './values.ts';

interface Field {
  /** Name of the attribute or of the instrument in the request. */
  name: string;
  /** Position among the resource attributes, point attributes or instruments of a request. */
  order: number;
  /** Whether a host of the library can state it. If not, it is always found on the machine. */
  host: boolean;
  /** Heading on the telemetry page of Lakehouse Plumber. */
  page: string;
  /** What it is. Also the description of an instrument in the request, as plain text. */
  what: string;
  /** Why it is collected. */
  why: string;
  /** How it is found. */
  how: string;
  /** An example, which the documentation and the tests use. */
  example: string | number | boolean;
}

export interface AttributeField extends Field {
  on: 'resource' | 'point';
  /** The type of its values, with the pattern that they match. */
  value: keyof typeof ATTRIBUTE_TYPES;
}

export interface InstrumentField extends Field {
  on: 'counter' | 'histogram';
  /** UCUM, as the OpenTelemetry specification asks. */
  unit: string;
  /** The type of its values, with their range. A `count` can be unknown, the others cannot. */
  value: keyof typeof NUMBER_TYPES;
}
