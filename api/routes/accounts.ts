/** Opening an account, proving its address, and its password. */
import { Failure } from '../../domain/failures.ts';
import {
  changePassword,
  confirmEmail,
  register,
  requestReset,
  resendVerification,
  resetPassword,
} from '../accounts.ts';
import type { Locale } from '../request.ts';
import { defineRoute, json, noContent, type Route } from '../route.ts';
import {
  addressOnly,
  emailState,
  linkToken,
  passwordChange,
  passwordReset,
  registered,
  registration,
  said,
} from '../schemas/people.ts';

const tags = ['Auth'];

const openAccount = defineRoute({
  method: 'post',
  path: '/auth/register',
  summary: 'Open an account as a business owner',
  tags,
  permission: 'public',
  limit: 'login',
  body: registration,
  responses: {
    201: { description: 'The account, ready to log in; a letter asks to verify its address.', schema: registered },
  },
  problems: ['email_taken', 'weak_password', 'forbidden', 'temporarily_unavailable'],
  handler: async ({ body, deps, locale, requestKey, origin }) => {
    if (!deps.selfRegistration) {
      throw new Failure('forbidden', 'Accounts are opened by the office here. Ask it for one.');
    }
    const user = await register(deps, { ...body, locale: body.locale ?? locale }, requestKey, origin);
    const { id, email, name, roles } = user;
    return json(201, { id, email, name, locale: user.locale, roles, emailVerified: user.emailVerifiedAt !== null });
  },
});

const verify = defineRoute({
  method: 'post',
  path: '/auth/verify-email',
  summary: 'Verify the address by the link in the letter',
  description: 'The link holds 24 hours and works once.',
  tags,
  permission: 'public',
  body: linkToken,
  responses: { 200: { description: 'The address is verified.', schema: emailState } },
  problems: ['link_not_valid'],
  handler: async ({ body, deps, origin }) => {
    await confirmEmail(deps, body.token, origin);
    return json(200, { emailVerified: true });
  },
});

const resend = defineRoute({
  method: 'post',
  path: '/auth/verify-email/resend',
  summary: 'Send the letter with the link once more',
  description: 'Five letters an hour at most. An older link is void from then on.',
  tags,
  permission: 'profile.use',
  ownAccount: true,
  responses: { 202: { description: 'A letter is on its way, unless the address is verified.', schema: emailState } },
  problems: ['rate_limited'],
  handler: async ({ actor, deps }) => json(202, { emailVerified: await resendVerification(deps, actor.userId) }),
});

const SENT: Readonly<Record<Locale, string>> = {
  id: 'Jika ada akun dengan alamat ini, kami mengirim surat berisi tautan yang berlaku 30 menit.',
  en: 'If there is an account with this address, we send it a letter with a link that holds 30 minutes.',
};

const forgotten = defineRoute({
  method: 'post',
  path: '/auth/password/forgot',
  summary: 'Ask for a link to choose a new password',
  description: 'The same answer for every address. Five letters an hour at most to each.',
  tags,
  permission: 'public',
  limit: 'reset',
  body: addressOnly,
  responses: { 202: { description: 'Taken; whether there is such an account is not told.', schema: said } },
  handler: async ({ body, deps, locale }) => {
    await requestReset(deps, body.email);
    return json(202, { message: SENT[locale] });
  },
});

const reset = defineRoute({
  method: 'post',
  path: '/auth/password/reset',
  summary: 'Choose a new password by the link in the letter',
  description:
    'The link holds 30 minutes and works once. Every session ends, and a second factor is asked for everywhere.',
  tags,
  permission: 'public',
  limit: 'reset',
  body: passwordReset,
  responses: { 204: { description: 'The password is changed. Log in with it.' } },
  problems: ['link_not_valid', 'weak_password', 'temporarily_unavailable'],
  handler: async ({ body, deps, locale, origin }) => {
    await resetPassword(deps, body, { locale, origin });
    return noContent();
  },
});

const change = defineRoute({
  method: 'post',
  path: '/auth/password/change',
  summary: 'Change the password',
  description: 'All other sessions end. A wrong present password counts like a failed log-in.',
  tags,
  permission: 'profile.use',
  ownAccount: true,
  body: passwordChange,
  responses: { 204: { description: 'The password is changed.' } },
  problems: ['wrong_password', 'weak_password', 'account_locked', 'rate_limited', 'temporarily_unavailable'],
  handler: async ({ actor, body, deps, locale, origin }) => {
    await changePassword(deps, actor, body, { locale, origin });
    return noContent();
  },
});

export const accountRoutes: readonly Route[] = [openAccount, verify, resend, forgotten, reset, change];
