/** The pages that links in letters about accounts lead to. They do what the routes of the API do, by the same functions. */
import { z } from 'zod';
import { findLetter } from '../../db/account-letters.ts';
import { type Link, peekLinkToken } from '../../db/link-tokens.ts';
import { findUser } from '../../db/users.ts';
import { LINK_PAGES, type LinkPurpose } from '../../domain/mail.ts';
import { confirmEmail, resetPassword } from '../accounts.ts';
import { joinCompany } from '../company-members.ts';
import type { ApiDeps } from '../deps.ts';
import { PROBLEM_TYPES } from '../errors.ts';
import { RETRY_AFTER_SECONDS, toFailure } from '../failures.ts';
import { unlock } from '../lockout.ts';
import { type Asked, askPage, donePage, notValidPage, type Trouble } from '../pages/account.ts';
import { PAGE_HEADERS, type Words } from '../pages/layout.ts';
import type { HtmlReply } from '../reply.ts';
import type { Locale } from '../request.ts';
import { defineRoute, html } from '../route.ts';
import { password, personName } from '../schemas/people.ts';
import { joinStaff } from '../staff-accounts.ts';

const tags = ['Public'];
const page = { contentType: 'text/html' };

/** Whatever else stands in the address, mail programs put there. */
const query = z.object({ token: z.string().max(200).default('') });
const token = z.string().max(200);

const shows = {
  200: { description: 'The page with the button', ...page },
  404: { description: 'The link is not valid (any more); the page says so', ...page },
};
const acts = {
  200: { description: 'Done', ...page },
  409: { description: 'The account is not ready for it; the page says what to do first', ...page },
  422: { description: 'The link is not valid, or the page says what to mend', ...page },
  503: { description: 'Too much to do just now; the page says when to try again', ...page },
};

const showPage = (purpose: LinkPurpose, summary: string) =>
  defineRoute({
    method: 'get',
    base: 'root',
    path: LINK_PAGES[purpose],
    summary,
    description: 'Opening it changes nothing and uses nothing up: mail servers open links too.',
    tags,
    permission: 'public',
    query,
    responses: shows,
    async handler({ query, deps, locale }) {
      const asked = await askedOf(deps, purpose, query.token);
      if (!asked) return html(404, notValidPage(purpose, locale), PAGE_HEADERS);
      return html(200, askPage(purpose, asked, locale), PAGE_HEADERS, OWN_FORM);
    },
  });

/** What the button of such a page does. */
const button = (purpose: LinkPurpose, summary: string) =>
  ({
    method: 'post',
    base: 'root',
    path: LINK_PAGES[purpose],
    summary,
    tags,
    permission: 'public',
    limit: 'reset',
    idempotent: false,
    form: true,
    responses: acts,
  }) as const;

const verifyEmail = defineRoute({
  ...button('verify_email', 'Confirms the address'),
  body: z.strictObject({ token }),
  handler: ({ body, deps, origin, locale }) =>
    answered('verify_email', deps, body, locale, () => confirmEmail(deps, body.token, origin)),
});

const reset = defineRoute({
  ...button('reset_password', 'Sets the new password'),
  body: z.strictObject({ token, password }),
  handler: ({ body, deps, origin, locale }) =>
    answered('reset_password', deps, body, locale, () => resetPassword(deps, body, { locale, origin })),
});

const unlockAccount = defineRoute({
  ...button('unlock_account', 'Unlocks the account'),
  body: z.strictObject({ token }),
  handler: ({ body, deps, origin, locale, req }) =>
    answered('unlock_account', deps, body, locale, () =>
      unlock(deps, body.token, { origin, userAgent: req.get('user-agent') }),
    ),
});

const join = defineRoute({
  ...button('join_staff', 'Sets up the invited account'),
  body: z.strictObject({ token, name: personName, password }),
  handler: ({ body, deps, origin, locale }) =>
    answered('join_staff', deps, body, locale, () => joinStaff(deps, body, origin, locale)),
});

const accept = defineRoute({
  ...button('join_company', 'Accepts the invitation'),
  body: z.strictObject({ token }),
  handler: ({ body, deps, origin, locale }) =>
    answered('join_company', deps, body, locale, () => joinCompany(deps, body, origin)),
});

export const accountPageRoutes = [
  showPage('verify_email', 'The page on which an address is confirmed'),
  verifyEmail,
  showPage('reset_password', 'The page on which a new password is chosen'),
  reset,
  showPage('unlock_account', 'The page on which an account is unlocked'),
  unlockAccount,
  showPage('join_staff', 'The page on which an invited account is set up'),
  join,
  showPage('join_company', 'The page on which an invitation to a company is accepted'),
  accept,
];

const OWN_FORM = { formTargets: ["'self'"] };

/** What the link is about, as far as its page shows it; null when it is not good. */
async function askedOf(deps: ApiDeps, purpose: LinkPurpose, token: string): Promise<Asked | null> {
  const link = await peekLinkToken(deps.db, purpose, token, new Date());
  return link && { token, passwords: deps.access.passwords, ...(await aboutOf(deps, link)) };
}

async function aboutOf({ db }: ApiDeps, { id, userId }: Link): Promise<Partial<Asked>> {
  if (userId) {
    const user = await findUser(db, userId);
    return { email: user?.email, name: user?.name };
  }
  // A link has the ID of its letter, which says who invites for whom.
  const letter = await findLetter(db, id);
  if (letter?.template !== 'join_company') return {};
  const { companyName, inviterName } = letter.data;
  return { companyName, inviterName };
}

const REGISTER_FIRST: Words = {
  id: 'Belum ada akun dengan alamat surel ini. Daftarkan diri dengan alamat ini, konfirmasi alamatnya, lalu tekan tombol ini lagi.',
  en: 'No account has this e-mail address yet. Register with it, confirm the address, then press this button again.',
};
const VERIFY_FIRST: Words = {
  id: 'Konfirmasi dahulu alamat surel akun Anda dengan tautan yang kami kirim waktu Anda mendaftar, lalu tekan tombol ini lagi.',
  en: 'First confirm the e-mail address of your account by the link that we sent when you registered, then press this button again.',
};
const NOT_THIS_ACCOUNT: Words = {
  id: 'Akun dengan alamat ini tidak dapat mewakili usaha. Mintalah undangan ke alamat lain.',
  en: 'The account with this address cannot act for a business. Ask to be invited by another address.',
};

/** The page after the button: what was done, or the same page with what is in the way. */
async function answered(
  purpose: LinkPurpose,
  deps: ApiDeps,
  sent: { readonly token: string; readonly name?: string },
  locale: Locale,
  work: () => Promise<unknown>,
): Promise<HtmlReply> {
  const again = async (status: number, trouble: Trouble, headers = {}): Promise<HtmlReply> => {
    const asked = await askedOf(deps, purpose, sent.token);
    if (!asked) return html(422, notValidPage(purpose, locale), PAGE_HEADERS);
    const typed = sent.name === undefined ? asked : { ...asked, name: sent.name };
    return html(status, askPage(purpose, typed, locale, trouble), { ...PAGE_HEADERS, ...headers }, OWN_FORM);
  };
  try {
    await work();
    return html(200, donePage(purpose, locale), PAGE_HEADERS);
  } catch (error) {
    const { code, facts } = toFailure(error);
    switch (code) {
      case 'link_not_valid':
        return html(422, notValidPage(purpose, locale), PAGE_HEADERS);
      case 'weak_password':
        return again(422, { problems: facts.errors?.map(({ detail }) => detail) });
      case 'unauthenticated':
        return again(409, { alert: REGISTER_FIRST });
      case 'email_not_verified':
        return again(409, { alert: VERIFY_FIRST });
      case 'forbidden':
        return again(409, { alert: NOT_THIS_ACCOUNT });
      case 'temporarily_unavailable': {
        const seconds = String(facts.retryAfterSeconds ?? RETRY_AFTER_SECONDS);
        return again(503, { alert: PROBLEM_TYPES[code].detail }, { 'Retry-After': seconds });
      }
      default:
        throw error;
    }
  }
}
