// kept.ts: keeps what was measured in a file, a line for each fleet in each backend, because the
// fleets of the whole page together take hours. What the file has is not measured again, with
// whatever options it was measured; the page names the options. Both backends get the same runs,
// also on two days.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Stored } from './measured.ts';
import type { BackendName } from './options.ts';

interface Line {
  /** The day, as in ISO 8601. */
  on: string;
  /** The options, without paths of the machine. */
  options: string;
  slots?: number | undefined;
  stored: Stored;
}

interface Wanted {
  machines: number;
  days: number;
  slots: number | undefined;
}

export class Kept {
  readonly #lines: Line[] = [];
  readonly #used = new Set<Line>();
  readonly #file: string | undefined;
  readonly #now: Pick<Line, 'on' | 'options'>;

  /** @param file - need not exist; without one, nothing is kept. */
  constructor(file: string | undefined, options: string) {
    this.#now = { on: new Date().toISOString().slice(0, 10), options };
    this.#file = file;
    if (file === undefined || !existsSync(file)) return;
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    this.#lines = lines.map((line) => JSON.parse(line, asMap) as Line);
  }

  /** The command and the options that measured the page, and the days, today included. */
  get origin(): string {
    const used = [...this.#lines.filter((line) => this.#used.has(line)), this.#now];
    const given = new Set(used.map(({ options }) => options).filter(Boolean));
    const all = [...given].map((one) => `\`${one}\``).join(', ');
    const days = used.map(({ on }) => on).sort();
    const [first, last] = [days[0], days.at(-1)];
    const how = all === '' ? '' : ` with ${all}`;
    return `\`npm run bench -- fleet\`${how}, ${first === last ? last : `${first} to ${last}`}`;
  }

  /** The end of the fleet's days, in seconds since the epoch, if the file has it of a backend. */
  endOf(wanted: Wanted): number | undefined {
    return this.#linesOf(wanted)[0]?.stored.end;
  }

  /** What the file has of this fleet in a backend, or what `measure` finds now. */
  async of(
    wanted: Wanted & { backend: BackendName },
    measure: () => Promise<Stored>,
  ): Promise<Stored> {
    const found = this.#linesOf(wanted).find(({ stored }) => stored.backend === wanted.backend);
    const line = found ?? { ...this.#now, slots: wanted.slots, stored: await measure() };
    this.#used.add(line);
    if (found === undefined) {
      this.#lines.push(line);
      if (this.#file !== undefined)
        appendFileSync(this.#file, `${JSON.stringify(line, asEntries)}\n`);
    }
    return line.stored;
  }

  #linesOf({ machines, days, slots }: Wanted): Line[] {
    return this.#lines.filter(
      ({ slots: its, stored }) =>
        its === slots && stored.machines === machines && stored.days === days,
    );
  }
}

/** The answers of panels are maps, which JSON does not have. */
const asEntries = (_: string, value: unknown) =>
  value instanceof Map ? { map: [...value] } : value;
const asMap = (_: string, value: unknown) =>
  isMap(value) ? new Map(value.map as [string, string[]][]) : value;
const isMap = (value: unknown): value is { map: unknown[] } =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'map');
