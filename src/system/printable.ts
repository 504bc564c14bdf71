// printable.ts: text that somebody else may have written (a folder's name, a key of a file, an answer of
// a server), made safe to print: a terminal would act on escape sequences, C1 controls and marks that turn
// the direction of writing. Each such character is shown as its code point instead, like \u{1b}.

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** One line: line breaks and tabs are shown as code points, too. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
