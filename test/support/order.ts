// order.ts: the order of the test files. While scripts/setup.mjs still installs programs, files
// that wait for them come last, so that no worker waits while there is work. Otherwise the files
// that took longest come first, as vitest has it, and those of one folder one after the other:
// vitest keeps a worker only for a next file of the same folder.
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
    const folders = [...new Set(sorted.map(({ project }) => project.name))];
    const folder = ({ project }: TestSpecification) => folders.indexOf(project.name);
    return sorted.sort((a, b) => missing(a) - missing(b) || folder(a) - folder(b));
  }
}
