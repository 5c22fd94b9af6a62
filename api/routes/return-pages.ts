/** The customer's page of a return: each form says the same to its process as the route of the API does. */
import { randomUUID } from 'node:crypto';
import { toString as qrCode } from 'qrcode';
import { z } from 'zod';
import { writeReturnLetter } from '../../db/return-letters.ts';
import { addReturnPhoto } from '../../db/return-photos.ts';
import { photoOnPage, type ReturnOnPage } from '../../db/shop-page-reads.ts';
import { isUuid } from '../../db/uuids.ts';
import type { Origin } from '../../domain/events.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type DocumentId, type ReturnId, type Sku } from '../../domain/ids.ts';
import type { ReturnContents } from '../../domain/return-messages.ts';
import { RESOLUTIONS, type ReturnMessageKind } from '../../domain/returns.ts';
import type { ApiDeps } from '../deps.ts';
import { startScan } from '../document-scan-process.ts';
import { type PageTrouble, troubleOf } from '../page-trouble.ts';
import { PAGE_HEADERS, type Words } from '../pages/layout.ts';
import { RETURN_ACTS, type ReturnAct, returnPage, WORDS_MAX } from '../pages/return-page.ts';
import { newLinkSentPage } from '../pages/shop-links.ts';
import type { HtmlReply } from '../reply.ts';
import type { Locale } from '../request.ts';
import { idFromKey, requestKeyOf } from '../request-key.ts';
import { sayToReturn } from '../return-process.ts';
import { defineRoute, html, stream, type UploadedFile } from '../route.ts';
import { type Opened, openReturnLink } from '../shop-links.ts';
import { storedPdf } from '../stored-pdf.ts';
import { displayName, MAX_BYTES } from './documents.ts';
import { closedDoor, exchangeable, goOn, hourOf, languageOf, SHOP_PAGE_ANSWERS } from './order-pages.ts';
import { imageTypeOf } from './return-photos.ts';

const tags = ['Public'];
const page = { contentType: 'text/html' };
const params = z.object({ token: z.string().max(200) });
const query = z.object({ lang: z.string().max(10).default(''), done: z.string().max(20).default('') });
const OWN_FORM = { formTargets: ["'self'"] };
const acts = {
  303: { description: 'Done; back to the page', ...page },
  ...SHOP_PAGE_ANSWERS,
  409: { description: 'It cannot be done now; the page says why', ...page },
  422: { description: 'The page says what to mend, with what was typed', ...page },
  503: { description: 'The page says when to try again', ...page },
};

type Open = Extract<Opened<ReturnOnPage>, { is: 'open' }>;

interface Shown {
  readonly token: string;
  readonly locale: Locale;
  readonly done?: ReturnAct | undefined;
  readonly trouble?: PageTrouble;
  readonly typed?: Readonly<Record<string, string>>;
}

async function shown(
  deps: ApiDeps,
  it: ReturnOnPage,
  { token, locale, done, trouble, typed }: Shown,
): Promise<HtmlReply> {
  const status = trouble?.status ?? 200;
  const input = {
    it,
    token,
    // What the system did not answer is the same request when it is sent again.
    key: status === 503 ? (typed?.['key'] ?? randomUUID()) : randomUUID(),
    qr: it.trackingNumber === null ? null : await qrPicture(it.trackingNumber),
    products: it.state === 'resolution_pending' ? await exchangeable(deps, locale) : [],
    done,
    problems: trouble?.problems,
    ...(typed ? { typed } : {}),
  };
  return html(status, returnPage(input, locale), { ...PAGE_HEADERS, ...trouble?.headers }, OWN_FORM);
}

/** What counters of carriers scan. */
async function qrPicture(text: string): Promise<string> {
  const svg = await qrCode(text, { type: 'svg', errorCorrectionLevel: 'M', width: 240 });
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
}

const showReturn = defineRoute({
  method: 'get',
  base: 'root',
  path: '/returns/:token',
  summary: 'The page of a return: where letters about it lead to',
  description: 'Whoever has the link sees it and answers for the customer, for 90 days. Opening it changes nothing.',
  tags,
  permission: 'public',
  params,
  query,
  responses: { 200: { description: 'The return and its state', ...page }, ...SHOP_PAGE_ANSWERS },
  async handler({ params: { token }, query, deps, locale: asked }) {
    const locale = languageOf(query.lang, asked);
    const opened = await openReturnLink(deps, token, new Date());
    if (opened.is !== 'open') return closedDoor(opened, `/returns/${token}`, locale);
    return shown(deps, opened.thing, { token, locale, done: RETURN_ACTS.find((act) => act === query.done) });
  },
});

const label = defineRoute({
  method: 'get',
  base: 'root',
  path: '/returns/:token/label.pdf',
  summary: 'The label for the parcel back',
  tags,
  permission: 'public',
  params,
  responses: { 200: { description: 'The label', contentType: 'application/pdf' }, ...SHOP_PAGE_ANSWERS },
  async handler({ params: { token }, deps, locale }) {
    const opened = await openReturnLink(deps, token, new Date());
    const sha256 = opened.is === 'open' ? opened.thing.labelSha256 : null;
    if (opened.is !== 'open' || sha256 === null) {
      return closedDoor(opened.is === 'open' ? { is: 'unknown' } : opened, `/returns/${token}`, locale);
    }
    return storedPdf(deps.files, sha256, opened.thing.number);
  },
});

const photo = defineRoute({
  method: 'get',
  base: 'root',
  path: '/returns/:token/photos/:photoId',
  summary: 'A photograph of the return',
  tags,
  permission: 'public',
  params: z.object({ token: z.string().max(200), photoId: z.string().max(40) }),
  responses: { 200: { description: 'The photograph', contentType: 'image/jpeg' }, ...SHOP_PAGE_ANSWERS },
  async handler({ params: { token, photoId }, deps, locale }) {
    const opened = await openReturnLink(deps, token, new Date());
    if (opened.is !== 'open') return closedDoor(opened, `/returns/${token}`, locale);
    const found = isUuid(photoId) ? await photoOnPage(deps.db, opened.thing.id, photoId) : null;
    const file = found && (await deps.files.open(found.sha256));
    if (!found || !file) return closedDoor({ is: 'unknown' }, `/returns/${token}`, locale);
    return stream(found.contentType, file.stream, {
      bytes: file.bytes,
      disposition: 'inline',
      headers: { 'X-Robots-Tag': 'noindex', 'Referrer-Policy': 'no-referrer' },
    });
  },
});

const key = z.string().max(100);
const words = z.string().max(WORDS_MAX);
const EMPTY: Words = { id: 'Mohon isi dahulu, lalu kirim lagi.', en: 'Please write something, then send it again.' };
const CHOOSE: Words = { id: 'Pilih salah satu.', en: 'Choose one of them.' };

interface Said<Kind extends ReturnMessageKind> {
  readonly act: ReturnAct;
  readonly kind: Kind;
  /** null = something is missing. */
  readonly content: ReturnContents[Kind] | null;
  readonly missing?: Words;
}

interface Sent {
  readonly token: string;
  readonly lang: string;
  readonly typed: Readonly<Record<string, string>>;
  readonly origin: Origin;
  readonly deps: ApiDeps;
  readonly locale: Locale;
}

/** Says it to the process, and goes back to the page; or shows the page again with what is in the way. */
async function said<Kind extends ReturnMessageKind>(sent: Sent, what: Said<Kind>): Promise<HtmlReply> {
  const { token, deps, typed } = sent;
  const locale = languageOf(sent.lang, sent.locale);
  const opened = await openReturnLink(deps, token, new Date());
  if (opened.is !== 'open') return closedDoor(opened, `/returns/${token}`, locale);
  const { content, missing = EMPTY } = what;
  if (content === null) {
    const trouble: PageTrouble = { status: 422, problems: [missing[locale]], headers: {} };
    return shown(deps, opened.thing, { token, locale, trouble, typed });
  }
  try {
    await sayToReturn(deps, messageOf(opened, what.act, sent), what.kind, content);
  } catch (error) {
    return against(deps, opened, { token, locale, trouble: troubleOf(error, locale), typed });
  }
  return goOn(`/returns/${token}?lang=${locale}&done=${what.act}`);
}

const messageOf = ({ link, actor, thing: { id } }: Open, act: ReturnAct, { typed, origin }: Sent) => ({
  id,
  actor,
  origin,
  requestKey: requestKeyOf({ caller: link.userId, method: 'POST', path: `/returns/${id}/${act}`, key: typed['key'] }),
});

/** The return as it is by now: what stood in the way may be that it has moved on. */
async function against(deps: ApiDeps, before: Open, more: Shown): Promise<HtmlReply> {
  const now = await openReturnLink(deps, more.token, new Date());
  return shown(deps, now.is === 'open' ? now.thing : before.thing, more);
}

const posted = {
  method: 'post',
  base: 'root',
  tags,
  permission: 'public',
  limit: 'pay',
  idempotent: false,
  form: true,
  params,
  query,
  responses: acts,
} as const;

/** A text of somebody, or null when there is none. */
const written = (text: string): string | null => (text.trim() === '' ? null : text.trim());

const answer = defineRoute({
  ...posted,
  path: '/returns/:token/answer',
  summary: 'Answers what the shop asked',
  body: z.strictObject({ key, answer: words }),
  handler: ({ params: { token }, query: { lang }, body: typed, origin, deps, locale }) => {
    const text = written(typed.answer);
    const content = text === null ? null : { answer: text };
    return said({ token, lang, typed, origin, deps, locale }, { act: 'answer', kind: 'provide_info', content });
  },
});

const accept = defineRoute({
  ...posted,
  path: '/returns/:token/accept',
  summary: 'Accepts the statement that was read',
  body: z.strictObject({ key, version: z.string().regex(/^\d{1,6}$/) }),
  handler: ({ params: { token }, query: { lang }, body: typed, origin, deps, locale }) =>
    said(
      { token, lang, typed, origin, deps, locale },
      { act: 'accept', kind: 'accept_deduction', content: { version: Number(typed.version) } },
    ),
});

const dispute = defineRoute({
  ...posted,
  path: '/returns/:token/dispute',
  summary: 'Disputes the statement',
  body: z.strictObject({ key, reason: words }),
  handler: ({ params: { token }, query: { lang }, body: typed, origin, deps, locale }) => {
    const reason = written(typed.reason);
    const content = reason === null ? null : { reason };
    return said({ token, lang, typed, origin, deps, locale }, { act: 'dispute', kind: 'dispute', content });
  },
});

const choose = defineRoute({
  ...posted,
  path: '/returns/:token/choose',
  summary: 'Chooses what the customer gets',
  body: z.strictObject({
    key,
    resolution: z.string().max(20).default(''),
    exchangeSku: z.string().max(40).default(''),
  }),
  handler: ({ params: { token }, query: { lang }, body: typed, origin, deps, locale }) => {
    const resolution = RESOLUTIONS.find((one) => one === typed.resolution);
    const sku = typed.exchangeSku === '' ? {} : { exchangeSku: asId<Sku>(typed.exchangeSku) };
    const content = resolution ? { resolution, ...(resolution === 'exchange' ? sku : {}) } : null;
    return said(
      { token, lang, typed, origin, deps, locale },
      { act: 'choose', kind: 'resolve', content, missing: CHOOSE },
    );
  },
});

const cancel = defineRoute({
  ...posted,
  path: '/returns/:token/cancel',
  summary: 'Cancels the return',
  body: z.strictObject({ key }),
  handler: ({ params: { token }, query: { lang }, body: typed, origin, deps, locale }) =>
    said({ token, lang, typed, origin, deps, locale }, { act: 'cancel', kind: 'cancel', content: {} }),
});

/** Larger than what is kept, so that who sends too much is told so on the page. */
const READ_BYTES = 3 * MAX_BYTES;

const addPhoto = defineRoute({
  ...posted,
  form: false,
  path: '/returns/:token/photos',
  summary: 'Adds a photograph',
  limit: 'upload',
  multipart: { file: 'file', maxBytes: READ_BYTES },
  body: z.strictObject({ key }),
  async handler({ params: { token }, query, body: typed, file, origin, deps, locale: asked }) {
    const locale = languageOf(query.lang, asked);
    const opened = await openReturnLink(deps, token, new Date());
    if (opened.is !== 'open') return closedDoor(opened, `/returns/${token}`, locale);
    const sent = { token, lang: query.lang, typed, origin, deps, locale };
    try {
      await keepPhoto(deps, opened, file, messageOf(opened, 'photos', sent));
    } catch (error) {
      return against(deps, opened, { token, locale, trouble: troubleOf(error, locale) });
    }
    return goOn(`/returns/${token}?lang=${locale}&done=photos`);
  },
});

/** As the API's upload does it; the same form sent twice is one photograph. */
async function keepPhoto(
  deps: ApiDeps,
  { thing: { id: returnId }, link: { userId: by } }: Open,
  { content, filename }: UploadedFile,
  { origin, requestKey }: { readonly origin: Origin; readonly requestKey: string },
): Promise<void> {
  if (content.length > MAX_BYTES) throw new Failure('file_too_large', 'The photograph is too large.');
  const contentType = await imageTypeOf(content);
  await deps.documentChecks.check(content, contentType);
  const { sha256, bytes } = await deps.files.put(content);
  const photo = {
    id: asId<DocumentId>(idFromKey(requestKey, 'return-photo')),
    kind: 'claim',
    filename: displayName(filename),
    scanState: deps.scansDocuments ? 'waiting' : 'not_scanned',
    at: new Date().toISOString(),
  } as const;
  await addReturnPhoto(deps.db, { ...photo, sha256, bytes, contentType, returnId, by, origin }, () =>
    deps.files.put(content),
  );
  if (deps.scansDocuments) void startScan(deps, photo.id);
}

const newLink = defineRoute({
  method: 'post',
  base: 'root',
  path: '/returns/:token/link',
  summary: 'Sends a new link to whom an ended one was sent',
  tags,
  permission: 'public',
  limit: 'reset',
  idempotent: false,
  form: true,
  params,
  query,
  responses: { 200: { description: 'The same page, whether there is somebody to write to or not', ...page } },
  async handler({ params: { token }, query, deps, locale: asked }) {
    const [now, locale] = [new Date(), languageOf(query.lang, asked)];
    const opened = await openReturnLink(deps, token, now);
    if (opened.is !== 'unknown') await sendReturnLink(deps, opened.thing.id, now);
    return html(200, newLinkSentPage(`/returns/${token}`, locale), PAGE_HEADERS);
  },
});

const sendReturnLink = ({ db }: ApiDeps, returnId: ReturnId, now: Date): Promise<void> =>
  db.transaction((tx) => writeReturnLetter(tx, 'return_link', { returnId, to: 'customer', at: hourOf(now) }));

export const returnPageRoutes = [showReturn, label, photo, addPhoto, answer, accept, dispute, choose, cancel, newLink];
