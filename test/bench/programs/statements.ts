/** SQL as Alur sent it, kept in table `bench_statements` for a worker that has none of Alur's code. */

/** What a renewal sends: in its transaction, about the paper, and when the payment is first looked at. */
export type StatementsOf = 'renewal' | 'paper' | 'collection';

export interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** By name, what stands for `{{name}}` in the kept statements. */
export type Places = Readonly<Record<'subscription' | 'company' | 'invoice' | 'letter' | 'number', string>>;

export const placeOf = (name: string): string => `{{${name}}}`;

/** @param kept JSON of statements */
export function filled(kept: string, places: Places): Statement[] {
  return JSON.parse(
    Object.entries(places).reduce((text, [name, value]) => text.replaceAll(placeOf(name), value), kept),
  );
}
