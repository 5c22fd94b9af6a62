/** What an office may know of an uploaded file before anybody opens it. */

/** `waiting`: nobody but the scanner reads it. `infected`: nobody at all. */
export const SCAN_STATES = ['not_scanned', 'waiting', 'clean', 'infected'] as const;
export type ScanState = (typeof SCAN_STATES)[number];

/**
 * What its owner and a reviewer should know of it. None is a reason to refuse: a person decides whether to ask for another.
 * `locked` wants a password, `damaged` is not what its beginning promises, `too_complex` takes more than a reader bears;
 * `encrypted` means restrictions that every viewer reads past.
 */
export const DOCUMENT_FLAGS = [
  'locked',
  'damaged',
  'too_complex',
  'encrypted',
  'scripts',
  'attachments',
  'too_many_pages',
  'too_small',
  'too_large',
] as const;
export type DocumentFlag = (typeof DOCUMENT_FLAGS)[number];

/** Pages of a PDF, pixels of a picture. */
export interface Sanity {
  readonly pages?: number;
  readonly width?: number;
  readonly height?: number;
  readonly flags: readonly DocumentFlag[];
}

export const MANY_PAGES = 200;
/** Of the longer side: text photographed smaller than this cannot be read. */
export const SMALL_PIXELS = 300;
/** Width times height: more than any camera makes, and memory that a viewer has to find. */
export const LARGE_PIXELS = 100_000_000;

export const pdfFlags = (found: {
  readonly pages: number;
  readonly encrypted: boolean;
  readonly scripts: boolean;
  readonly attachments: boolean;
}): DocumentFlag[] => [
  ...(found.encrypted ? (['encrypted'] as const) : []),
  ...(found.scripts ? (['scripts'] as const) : []),
  ...(found.attachments ? (['attachments'] as const) : []),
  ...(found.pages > MANY_PAGES ? (['too_many_pages'] as const) : []),
];

export const pictureFlags = ({
  width,
  height,
}: {
  readonly width: number;
  readonly height: number;
}): DocumentFlag[] => [
  ...(Math.max(width, height) < SMALL_PIXELS ? (['too_small'] as const) : []),
  ...(width * height > LARGE_PIXELS ? (['too_large'] as const) : []),
];

const NOT_SHOWN: readonly DocumentFlag[] = ['scripts', 'attachments', 'locked', 'damaged', 'too_complex'];

/** What carries something to run or to open, or could not be looked into, is given to keep, never shown on the spot. */
export const isShowable = (sanity: Sanity | null): boolean =>
  sanity?.flags.every((flag) => !NOT_SHOWN.includes(flag)) ?? false;

/** How long a file stays after its document was taken off and no submission names it. */
export const REMOVED_KEPT_MS = 30 * 86_400_000;
