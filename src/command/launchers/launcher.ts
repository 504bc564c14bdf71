// launcher.ts: the columns of the table of launchers, and how its lists are read. A list is one
// string of words separated by white space.

/** A file in which variables for the command may be set. */
export interface Settings {
  /** Its name. It is looked for from the project's folder upwards. */
  file?: string;
  /** The variable that holds its path, for a file without a fixed name. */
  variable?: string;
  /** The name of another file: only a settings file beside that one is read. */
  beside?: string;
  /** The variable that, if true, keeps the launcher from reading it. */
  unless?: string;
  /**
   * For a TOML file, the table that holds the variables, such as `tool.pdm`. Else the whole file.
   */
  table?: string;
}

/** A program that starts another program. */
export interface Launcher {
  /** Options without a value. An option in no list may or may not take a value. */
  flags?: string;
  /** Options with a value. */
  values?: string;
  /**
   * Options with which the launcher starts no command, or one that cannot be followed or waited
   * for. In every row this includes -h, --help, -V and --version, unless the row lists them.
   */
  refused?: string;
  /** A word before the command that is no option, such as the duration of `timeout`. */
  operand?: RegExp;
  /** The launcher accepts a number as an option, as in `nice -5`. */
  numbers?: true;
  /** `NAME=value` words may stand before the command, as for env(1). */
  assigns?: true;
  /** Words that lead to the command, such as `run`, each with the row for what follows it. */
  subcommands?: Readonly<Record<string, Launcher>>;
  /** Subcommands that start no command of the user. They settle how an unknown option is read. */
  others?: string;
  /** Options with which the command is a Python module, as in `uv run -m`. */
  module?: string;
  /**
   * The command may name its environment, as in `hatch run test:lhp` and `hatch run +py=3.12 lhp`.
   */
  environmentPrefix?: true;

  /** Options that name the folder the command runs in. */
  folder?: string;
  /** The variable that names this folder if no option does. */
  folderVariable?: string;
  /** This folder is relative to the project's folder. */
  folderInProject?: true;
  /** Options that name the project: its folder, or a file in that folder. */
  project?: string;
  /** The variable that names the project if no option does. */
  projectVariable?: string;

  /** Options that set a variable for the command, `NAME=value`. */
  sets?: string;
  /** Options that remove a variable from the command's environment. */
  unsets?: string;
  /** Options that remove all variables. */
  clears?: string;
  /** Options that name a dotenv file. */
  envFile?: string;
  /** Options with which no dotenv file is read. */
  noEnvFile?: string;
  /** The variable that names dotenv files. */
  envFileVariable?: string;
  /** Other files in which variables for the command may be set. */
  settings?: readonly Settings[];

  /**
   * The rule in src/collect/environment that finds the Python environment in which the command
   * runs. Without a rule it runs where the launcher itself runs.
   */
  environment?: string;
  /**
   * Its environments are those of conda: they have activation scripts and variables of their own.
   */
  conda?: true;
  /** Folders of a project that can hold environments. `/*` stands for every folder below. */
  environmentFolders?: string;
  /** The variable that names the folder of the environment. */
  environmentVariable?: string;
  /**
   * The option that names the package to fetch. Such a launcher downloads what it starts, so any
   * word can be a command.
   */
  package?: string;
}

/** The words of a list. */
export const wordsOf = (list = ''): string[] => list.split(/\s+/).filter(Boolean);

/** Whether a list of the table has this word. */
export const listed = (list: string | undefined, word: string): boolean =>
  wordsOf(list).includes(word);

/** How launchers read a variable that is a switch. */
export const isTrue = (value: string | undefined): boolean =>
  /^(1|true|t|yes|y|on)$/i.test(value?.trim() ?? '');
