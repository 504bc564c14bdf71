// order.ts: the order of the test files. While scripts/setup.mjs still installs programs, files
// that wait for them come last, so that no worker waits while there is work. Otherwise the files
// that took longest come first, as vitest has it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

export class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const ready = process.env.LHP_OTEL_SETUP;
    const missing = ({ project }: TestSpecification) =>
      ready === undefined
        ? 0
        : (project.config.provide.needs ?? []).filter((group) => !existsSync(join(ready, group)))
            .length;
    return sorted.sort((a, b) => missing(a) - missing(b));
  }
}
