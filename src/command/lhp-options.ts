// lhp-options.ts: reads lhp's own arguments as lhp's parser (click) does.

/**
 * The options of `lhp generate` that take a value, each with the field that keeps it. Every other
 * option, in every version of lhp, is a flag.
 */
const VALUE_OPTIONS: Record<string, 'environment' | 'output' | 'pipelineConfig' | 'ignored'> = {
  '-e': 'environment',
  '--env': 'environment',
  '-o': 'output',
  '--output': 'output',
  '-pc': 'pipelineConfig',
  '--pipeline-config': 'pipelineConfig',
  '-p': 'ignored',
  '--pipeline': 'ignored',
  '--max-workers': 'ignored',
};

export interface GenerateOptions {
  environment: string | undefined;
  output: string | undefined;
  pipelineConfig: string | undefined;
  dryRun: boolean;
  noBundle: boolean;
  verbose: boolean;
}

/** `undefined` if the arguments are no generate: another command, `--help`, `--version`. */
export function parseLhp(words: readonly string[]): GenerateOptions | undefined {
  let at = 0;
  let verbose = false;
  // All options before the command are flags.
  for (; at < words.length && (words[at] as string).startsWith('-'); at += 1) {
    const word = words[at] as string;
    if (word === '--help' || word === '--version' || /^-[a-z]*h/.test(word)) return undefined;
    if (word === '--verbose' || /^-[a-z]*v/.test(word)) verbose = true;
  }
  if (words[at] !== 'generate') return undefined;
  const given: Partial<Record<string, string>> = {};
  let dryRun = false;
  let noBundle = false;
  for (at += 1; at < words.length; at += 1) {
    const word = words[at] as string;
    if (word === '--') break;
    if (!word.startsWith('-') || word === '-') continue;
    const [option, attached] = clickOption(word);
    const field = VALUE_OPTIONS[option];
    if (field) {
      if (attached === undefined) at += 1;
      given[field] = attached ?? words[at];
    } else if (option === '--help' || option === '-h') return undefined;
    else if (option === '--dry-run') dryRun = true;
    else if (option === '--no-bundle') noBundle = true;
    else if (option === '--verbose' || option === '-v') verbose = true;
  }
  return {
    environment: given.environment,
    output: given.output,
    pipelineConfig: given.pipelineConfig,
    dryRun,
    noBundle,
    verbose,
  };
}

/**
 * Splits a word into an option and the value in the same word. As in click, the word up to `=` is
 * first read as a long option (`-pc` is one), then letter by letter, and an option with a value
 * takes the rest of the word.
 */
function clickOption(word: string): [string, string | undefined] {
  const equals = word.indexOf('=');
  const long = equals < 0 ? word : word.slice(0, equals);
  if (word.startsWith('--') || long === '-pc')
    return [long, equals < 0 ? undefined : word.slice(equals + 1)];
  for (let i = 1; i < word.length; i += 1) {
    const short = `-${word[i]}`;
    if (VALUE_OPTIONS[short]) return [short, i + 1 < word.length ? word.slice(i + 1) : undefined];
    if (short === '-h' || short === '-v') return [short, undefined];
  }
  return [word, undefined];
}
