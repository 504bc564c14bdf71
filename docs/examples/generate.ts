// A small tool with its own generate function, recorded by lhp-otel. Run it with
//   node docs/examples/generate.ts out/
// Each successful run is recorded like a wrapped `lhp generate` (`lhp-otel show` prints it); a run
// that throws is not recorded.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { instrumentGenerate } from 'lhp-otel';

const ENVIRONMENT = 'dev';
const TABLES = ['customers', 'orders', 'products'];

function generate(folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  return TABLES.map((table) => {
    const path = join(folder, `${table}.py`);
    writeFileSync(path, `# generated\nTABLE = "${table}"\n`);
    return path;
  });
}

const instrumented = instrumentGenerate(generate, {
  describe: (files) => ({
    project_name: 'example', // hashed before anything is written
    environment: ENVIRONMENT,
    files_generated: files.length,
    flowgroups_count: TABLES.length,
    pipelines_count: 1,
    templates_count: 0,
    flowgroups_using_templates: 0,
    lhp_version: '1.0.0', // of this tool
  }),
});

const files = instrumented(process.argv[2] ?? 'generated');
console.log(`${files.length} files written`);
