/** What an applicant changed between two submissions: fields of the form by pointer, documents by kind. */

/**
 * One place of the form that differs. `pointer` is a JSON Pointer (RFC 6901) from the application down (`/form/seats`), as in
 * a reason; no `before` = it was not there, no `after` = it is not there any more. Objects are compared field by field, arrays
 * item by item from the front; what was added or taken away as a whole stands as a whole.
 */
export interface FormChange {
  readonly pointer: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** In the order of the form as it was, what is new at the end. Empty = the same. */
export const diffForms = (before: unknown, after: unknown): FormChange[] => differences('/form', before, after);

function differences(pointer: string, before: unknown, after: unknown): FormChange[] {
  const [old, now] = [partsOf(before), partsOf(after)];
  if (!old || !now || Array.isArray(before) !== Array.isArray(after)) {
    return before === after ? [] : [{ pointer, before, after }];
  }
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((key) => {
    const at = below(pointer, key);
    if (!now.has(key)) return [{ pointer: at, before: old.get(key) }];
    if (!old.has(key)) return [{ pointer: at, after: now.get(key) }];
    return differences(at, old.get(key), now.get(key));
  });
}

/** The fields or items of a value by their name in a pointer; null for a value that has none. */
export const partsOf = (value: unknown): ReadonlyMap<string, unknown> | null =>
  typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : null;

export const below = (pointer: string, key: string): string =>
  `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;

export interface DocumentVersion {
  readonly id: string;
  readonly kind: string;
  readonly filename: string;
  /** Of its content. */
  readonly sha256: string;
}

export type DocumentChange =
  | {
      readonly kind: string;
      readonly change: 'same' | 'replaced';
      readonly before: DocumentVersion;
      readonly after: DocumentVersion;
    }
  | { readonly kind: string; readonly change: 'removed'; readonly before: DocumentVersion }
  | { readonly kind: string; readonly change: 'added'; readonly after: DocumentVersion };

/**
 * Each document once, by kind in the order in which the kinds appear. The same content is the same document, whatever it is
 * called now; of the rest of a kind, the first that went was replaced by the first that came.
 */
export function diffDocuments(before: readonly DocumentVersion[], after: readonly DocumentVersion[]): DocumentChange[] {
  const kinds = new Set([...before, ...after].map(({ kind }) => kind));
  return [...kinds].flatMap((kind) =>
    ofOneKind(
      kind,
      before.filter((document) => document.kind === kind),
      after.filter((document) => document.kind === kind),
    ),
  );
}

function ofOneKind(
  kind: string,
  before: readonly DocumentVersion[],
  after: readonly DocumentVersion[],
): DocumentChange[] {
  const [gone, come] = [[...before], [...after]];
  const same: DocumentChange[] = [];
  for (const old of before) {
    const now = come.find(({ sha256 }) => sha256 === old.sha256);
    if (!now) continue;
    come.splice(come.indexOf(now), 1);
    gone.splice(gone.indexOf(old), 1);
    same.push({ kind, change: 'same', before: old, after: now });
  }
  const rest = Array.from({ length: Math.max(gone.length, come.length) }, (_, index) =>
    changeOf(kind, gone[index], come[index]),
  );
  return [...same, ...rest.flat()];
}

function changeOf(kind: string, before?: DocumentVersion, after?: DocumentVersion): DocumentChange[] {
  if (before && after) return [{ kind, change: 'replaced', before, after }];
  if (before) return [{ kind, change: 'removed', before }];
  return after ? [{ kind, change: 'added', after }] : [];
}
