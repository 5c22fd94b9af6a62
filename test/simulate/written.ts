/** The report in a document that says more than it. */
const BEGIN = '<!-- simulation: begin -->';
const END = '<!-- simulation: end -->';

/** @throws Error for a text without the two marks, in their order */
export function withReport(text: string, report: string): string {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from === -1 || to < from)
    throw new Error(`the file needs the lines ${BEGIN} and ${END}; the report goes between them`);
  return `${text.slice(0, from + BEGIN.length)}\n\n${report}\n${text.slice(to)}`;
}
