/** What the bench orders from its driver process, and what comes back. */

export interface Person {
  readonly userId: string;
  readonly token: string;
}

export type Order =
  | {
      readonly kind: 'reads';
      /** `http://host:port` */
      readonly url: string;
      readonly paths: readonly string[];
      /** Header lines, without Host. */
      readonly headers: readonly string[];
      readonly connections: number;
      readonly warmMs: number;
      readonly measureMs: number;
    }
  | { readonly kind: 'gets'; readonly urls: readonly string[]; readonly token: string; readonly inFlight: number }
  | {
      readonly kind: 'posts';
      readonly posts: readonly { readonly url: string; readonly token: string; readonly key: string }[];
      readonly inFlight: number;
    }
  | {
      /** One after the other, so many a second, whatever has been answered by then. */
      readonly kind: 'arrivals';
      readonly url: string;
      readonly posts: readonly { readonly body: string; readonly headers: Readonly<Record<string, string>> }[];
      readonly perSecond: number;
      /** The first so many are not counted. */
      readonly warm: number;
    }
  | { readonly kind: 'updates'; readonly workflowIds: readonly string[]; readonly inFlight: number }
  | {
      readonly kind: 'licences';
      readonly apiUrl: string;
      readonly sandboxUrl: string;
      readonly applicationIds: readonly string[];
      readonly owner: Person;
      readonly reviewers: readonly Person[];
      readonly inFlight: number;
    }
  | {
      readonly kind: 'bareCases';
      readonly names: readonly string[];
      readonly updates: number;
      readonly signals: number;
      readonly activities: number;
      readonly inFlight: number;
    };

export interface Done {
  /** Of reads: those within the measured time. */
  readonly count: number;
  /** With those of the warm-up. */
  readonly all: number;
  readonly seconds: number;
  /** Of each request or case, in the order in which they ended; empty for reads, which are only counted. */
  readonly latenciesMs: readonly number[];
}

export type Reply = { readonly done: Done } | { readonly failed: string };
