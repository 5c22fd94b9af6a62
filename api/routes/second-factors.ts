import { maskedPhone } from '../../domain/second-factors.ts';
import { defineRoute, json, noContent, type Route } from '../route.ts';
import { tokens } from '../schemas/people.ts';
import {
  backupCodes,
  codeSent,
  codeSentToPhone,
  confirmingCode,
  givenCode,
  loginCode,
  phone,
  secondFactors,
  secondHalf,
  steppedUp,
  stepUpCode,
  totpKey,
} from '../schemas/second-factors.ts';
import { sendConfirmed } from '../second-factor-channels.ts';
import { finishLogin, sendLoginCode } from '../second-factor-login.ts';
import { refuseWaiting } from '../second-factor-proof.ts';
import { beginSent, beginTotp, confirm, remove, renewBackupCodes, whatIsSetUp } from '../second-factor-setup.ts';
import { personOf, stepUp } from '../step-up.ts';
import { timeJson } from '../wire.ts';

const tags = ['Second factor'];
/** Secrets stay out of caches, and (not idempotent) out of the answers that are kept. */
const secret = { headers: { 'Cache-Control': 'no-store' } };
/** Of one's own account, also with nothing but the right to set up a second factor. */
const own = { tags, permission: 'profile.use', ownAccount: true } as const;
const REFUSED_CODE = ['invalid_code', 'second_factor_locked'] as const;
const REFUSED_SEND = ['rate_limited', 'code_not_sent', 'second_factor_missing'] as const;
const REFUSED_SETUP = ['second_factor_exists', 'step_up_required', 'forbidden'] as const;
const CODES = { description: 'It counts from now on; backup codes come with the first one.', schema: backupCodes };
const WAYS =
  'Codes by e-mail and SMS: one a minute and five an hour; each is good for 10 minutes, and the newest counts.';

const logInWithCode = defineRoute({
  method: 'post',
  path: '/auth/login/mfa',
  summary: 'Finish a log-in with a second factor',
  description: 'Five wrong codes end the log-in; five in a row, over however many log-ins, make the account wait.',
  tags,
  permission: 'public',
  limit: 'login',
  idempotent: false,
  body: secondHalf,
  responses: { 200: { description: 'Tokens, as from a log-in.', schema: tokens } },
  problems: [...REFUSED_CODE, 'challenge_ended', 'second_factor_missing', 'invalid_credentials'],
  handler: async ({ body, deps, origin, locale, req }) => {
    const { rememberDevice = false, ...half } = body;
    const userAgent = req.get('user-agent');
    return json(200, await finishLogin(deps, { ...half, rememberDevice, userAgent, origin, locale }), secret);
  },
});

const sendCodeForLogin = defineRoute({
  method: 'post',
  path: '/auth/login/mfa/send',
  summary: 'Send a code for a log-in by e-mail or SMS',
  description: WAYS,
  tags,
  permission: 'public',
  limit: 'login',
  body: loginCode,
  responses: { 200: { description: 'A code is on its way.', schema: codeSent } },
  problems: [...REFUSED_SEND, 'challenge_ended', 'second_factor_locked'],
  handler: async ({ body, deps }) => json(200, await sendLoginCode(deps, body.mfaToken, body.method)),
});

const list = defineRoute({
  ...own,
  method: 'get',
  path: '/auth/mfa',
  summary: 'What is set up as a second factor',
  responses: { 200: { description: 'Kinds, since when, and how many backup codes are left.', schema: secondFactors } },
  handler: async ({ actor, deps }) => {
    const { factors, backupCodesLeft } = await whatIsSetUp(deps, actor.userId);
    const shown = factors.map(({ kind, confirmedAt, phone: number }) => ({
      kind,
      since: timeJson(confirmedAt),
      ...(number === null ? {} : { phone: number }),
    }));
    return json(200, { factors: shown, backupCodesLeft });
  },
});

const totp = defineRoute({
  ...own,
  method: 'post',
  path: '/auth/mfa/totp',
  summary: 'Begin to set up an authenticator app',
  description: 'It counts once a code confirms it; until then another call gives another key.',
  idempotent: false,
  responses: { 200: { description: 'A key, also as QR code.', schema: totpKey } },
  problems: REFUSED_SETUP,
  handler: async ({ actor, deps }) => json(200, await beginTotp(deps, await personOf(deps, actor)), secret),
});

const email = defineRoute({
  ...own,
  method: 'post',
  path: '/auth/mfa/email',
  summary: 'Begin to set up codes by e-mail',
  description: `Sends the code that confirms it to the address of the account. ${WAYS}`,
  responses: { 200: { description: 'A code is on its way.', schema: codeSent } },
  problems: [...REFUSED_SETUP, ...REFUSED_SEND],
  handler: async ({ actor, deps }) =>
    json(200, await beginSent(deps, await personOf(deps, actor), { kind: 'email', phone: null })),
});

const sms = defineRoute({
  ...own,
  method: 'post',
  path: '/auth/mfa/sms',
  summary: 'Begin to set up codes by SMS',
  description: `Sends the code that confirms the number. ${WAYS}`,
  body: phone,
  responses: { 200: { description: 'A code is on its way.', schema: codeSentToPhone } },
  problems: [...REFUSED_SETUP, ...REFUSED_SEND],
  handler: async ({ actor, body, deps }) => {
    const sent = await beginSent(deps, await personOf(deps, actor), { kind: 'sms', phone: body.phone });
    return json(200, { ...sent, phone: maskedPhone(body.phone) });
  },
});

const confirmation = (kind: 'totp' | 'email' | 'sms', summary: string): Route =>
  defineRoute({
    ...own,
    method: 'post',
    path: `/auth/mfa/${kind}/confirm`,
    summary,
    description: 'The log-in counts as one with a second factor; whoever may only set one up logs in again.',
    idempotent: false,
    body: confirmingCode,
    responses: { 200: CODES },
    problems: [...REFUSED_SETUP, 'invalid_code', 'second_factor_missing'],
    handler: async ({ actor, body, deps, origin, requestKey }) => {
      const person = await personOf(deps, actor);
      return json(200, { backupCodes: await confirm(deps, person, kind, body.code, { origin, requestKey }) }, secret);
    },
  });

const removal = (kind: 'totp' | 'email' | 'sms', summary: string): Route =>
  defineRoute({
    ...own,
    method: 'delete',
    path: `/auth/mfa/${kind}`,
    summary,
    description: 'The backup codes go with the last one. Devices that were remembered are asked again.',
    stepUp: true,
    responses: { 204: { description: 'It counts no more.' } },
    problems: ['second_factor_missing', 'second_factor_needed', 'step_up_required', 'forbidden'],
    handler: async ({ actor, deps, origin, requestKey }) => {
      await remove(deps, await personOf(deps, actor), kind, { origin, requestKey });
      return noContent();
    },
  });

const newBackupCodes = defineRoute({
  ...own,
  method: 'post',
  path: '/auth/mfa/backup-codes',
  summary: 'Make ten new backup codes',
  description: 'In place of all earlier ones.',
  stepUp: true,
  idempotent: false,
  responses: { 200: { description: 'Shown this once.', schema: backupCodes } },
  problems: ['second_factor_missing', 'step_up_required', 'forbidden'],
  handler: async ({ actor, deps, origin, requestKey }) => {
    const codes = await renewBackupCodes(deps, await personOf(deps, actor), { origin, requestKey });
    return json(200, { backupCodes: codes }, secret);
  },
});

const giveSecondFactor = defineRoute({
  ...own,
  method: 'post',
  path: '/auth/step-up',
  summary: 'Give a second factor anew',
  description: 'Opens for 10 minutes, in this log-in, what wants a fresh second factor.',
  limit: 'login',
  idempotent: false,
  body: givenCode,
  responses: { 200: { description: 'Repeat now what was refused.', schema: steppedUp } },
  problems: [...REFUSED_CODE, 'second_factor_missing', 'forbidden'],
  handler: async ({ actor, body, deps, origin, requestKey }) => {
    const until = await stepUp(deps, await personOf(deps, actor), { ...body, origin, requestKey });
    return json(200, { secondFactorUntil: timeJson(until) }, secret);
  },
});

const sendCodeForStepUp = defineRoute({
  ...own,
  method: 'post',
  path: '/auth/step-up/send',
  summary: 'Send a code for a step-up by e-mail or SMS',
  description: WAYS,
  body: stepUpCode,
  responses: { 200: { description: 'A code is on its way.', schema: codeSent } },
  problems: [...REFUSED_SEND, 'second_factor_locked', 'forbidden'],
  handler: async ({ actor, body, deps }) => {
    const { user } = await personOf(deps, actor);
    await refuseWaiting(deps, user);
    return json(200, await sendConfirmed(deps, user.id, body.method));
  },
});

export const secondFactorRoutes: readonly Route[] = [
  logInWithCode,
  sendCodeForLogin,
  list,
  totp,
  email,
  sms,
  confirmation('totp', 'Confirm the authenticator app with a code of it'),
  confirmation('email', 'Confirm codes by e-mail'),
  confirmation('sms', 'Confirm codes by SMS'),
  removal('totp', 'Take the authenticator app away'),
  removal('email', 'Take codes by e-mail away'),
  removal('sms', 'Take codes by SMS away'),
  newBackupCodes,
  giveSecondFactor,
  sendCodeForStepUp,
];
