/**
 * Nobody reaches what is another's by its ID. Each route that takes one stands in the table below with a real object of
 * company B; a route that is missing there fails, so that whoever adds one says whose objects it touches.
 */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { patternOf, type Route } from '../../api/route.ts';
import { routes } from '../../api/routes/index.ts';
import { keyMay } from '../../domain/api-keys.ts';
import type { ApplicationId, CompanyId } from '../../domain/ids.ts';
import { DEFAULT_RETURN_POLICY } from '../../domain/returns.ts';
import { may, ROLES, type Role, SCOPES } from '../../domain/roles.ts';
import { aCard } from '../builders/cards.ts';
import {
  aCompany,
  aCreditNote,
  aLicense,
  aLicenseType,
  anApplication,
  anEvidencePack,
  anInvoice,
  aPayment,
  aReceipt,
  aSubmission,
  GOOD_FORM,
  type LicenseTypeRow,
} from '../builders/licensing.ts';
import { aPdf } from '../builders/papers.ts';
import { aPackedOrder, aParcel, type PackedOrder } from '../builders/parcels.ts';
import { ask, type Problem } from '../builders/requests.ts';
import { aPlan, aSubscription } from '../builders/subscriptions.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { temporal } from '../support/machine.ts';

/** A company and one of everything that belongs to it, or to its owner. */
interface World {
  readonly owner: TestPerson;
  readonly colleague: TestPerson;
  readonly integrator: TestPerson;
  readonly companyId: CompanyId;
  readonly draft: ApplicationId;
  readonly draftDocument: string;
  readonly companyDocument: string;
  readonly application: ApplicationId;
  readonly document: string;
  readonly license: string;
  readonly invoice: string;
  readonly payment: string;
  readonly refund: string;
  readonly receipt: string;
  readonly creditNote: string;
  readonly invitation: string;
  readonly device: string;
  readonly card: string;
  readonly subscription: string;
  readonly order: string;
  /** With every paper there is of one. */
  readonly shipment: string;
  readonly goodsReturn: string;
  readonly returnPhoto: string;
  /** Of somebody in the office: colleagues do not touch each other's. */
  readonly absence: string;
}

interface Reach {
  /** Where the object of this world is, below /api/v1. */
  readonly at: (theirs: World) => string;
  readonly body?: (theirs: World) => unknown;
  /** Reviewers of the office see every one of these, whoever has the case. */
  readonly ofOffice?: true;
  /** Their object under an address of one's own. */
  readonly mixed?: (own: World, theirs: World) => string;
}

const form = () => {
  const file = new FormData();
  file.set('kind', 'other');
  file.set('file', new Blob([new Uint8Array(aPdf())], { type: 'application/pdf' }), 'ktp.pdf');
  return file;
};
const photoForm = () => {
  const photo = form();
  photo.delete('kind');
  return photo;
};
const application = (rest = '', body?: () => unknown): Reach => ({
  at: ({ draft }) => `/licenses/applications/${draft}${rest}`,
  ...(body ? { body } : {}),
});
const review = (what: string, body?: Reach['body']): Reach => ({
  at: ({ draft }) => `/licenses/${what}/${draft}`,
  ...(body ? { body } : {}),
});

const refund = (rest = '', body?: () => unknown): Reach => ({
  at: ({ refund: id }) => `/refunds/${id}${rest}`,
  ...(body ? { body } : {}),
});

const subscription = (rest = '', body?: () => unknown): Reach => ({
  at: ({ subscription: id }) => `/subscriptions/${id}${rest}`,
  ...(body ? { body } : {}),
});

const orderAt = (rest = '', body?: () => unknown): Reach => ({
  at: ({ order: id }) => `/orders/${id}${rest}`,
  ...(body ? { body } : {}),
});

const shipment = (rest: string, body?: () => unknown): Reach => ({
  at: ({ shipment: id }) => `/shipments/${id}${rest}`,
  ...(body ? { body } : {}),
});

const goodsReturn = (rest = '', body?: (theirs: World) => unknown): Reach => ({
  at: ({ goodsReturn: id }) => `/returns/${id}${rest}`,
  ...(body ? { body } : {}),
});

const onboarding = (rest = '', body?: () => unknown): Reach => ({
  at: ({ companyId }) => `/onboarding/${companyId}${rest}`,
  ...(body ? { body } : {}),
});
const companyForm = () => {
  const file = form();
  file.set('kind', 'deed');
  return file;
};

const REACHES: Readonly<Record<string, Reach>> = {
  'GET /licenses/status/:id': { at: ({ application: id }) => `/licenses/status/${id}` },
  'DELETE /auth/sessions/:id': { at: ({ owner }) => `/auth/sessions/${owner.sessionId}` },
  'DELETE /auth/devices/:id': { at: ({ device }) => `/auth/devices/${device}` },
  'GET /users/companies/:id': { at: ({ companyId }) => `/users/companies/${companyId}` },
  'GET /onboarding/:companyId': { ...onboarding(), ofOffice: true },
  'POST /onboarding/:companyId/steps/account_verified': onboarding('/steps/account_verified', () => ({})),
  'POST /onboarding/:companyId/steps/business_profile': onboarding('/steps/business_profile', () => ({ name: 'Mine' })),
  'POST /onboarding/:companyId/steps/identity': onboarding('/steps/identity', () => ({})),
  'POST /onboarding/:companyId/steps/documents': onboarding('/steps/documents', () => ({ confirm: true })),
  'POST /onboarding/:companyId/steps/:step': onboarding('/steps/review', () => ({})),
  'POST /onboarding/:companyId/cancel': onboarding('/cancel', () => ({})),
  'POST /onboarding/:companyId/reopen': onboarding('/reopen', () => ({})),
  'POST /onboarding/:companyId/review': {
    ...onboarding('/review', () => ({ decision: 'approve', reason: 'mine' })),
    ofOffice: true,
  },
  'GET /onboarding/:companyId/documents': { ...onboarding('/documents'), ofOffice: true },
  'POST /onboarding/:companyId/documents': onboarding('/documents', () => companyForm()),
  'GET /onboarding/:companyId/documents/:documentId': {
    ofOffice: true,
    at: ({ companyId, companyDocument }) => `/onboarding/${companyId}/documents/${companyDocument}`,
    mixed: (own, { companyDocument }) => `/onboarding/${own.companyId}/documents/${companyDocument}`,
  },
  'DELETE /onboarding/:companyId/documents/:documentId': {
    at: ({ companyId, companyDocument }) => `/onboarding/${companyId}/documents/${companyDocument}`,
  },
  'GET /users/companies/:id/members': { at: ({ companyId }) => `/users/companies/${companyId}/members` },
  'POST /users/companies/:id/invitations': {
    at: ({ companyId }) => `/users/companies/${companyId}/invitations`,
    body: () => ({ email: `${randomUUID()}@example.test` }),
  },
  'DELETE /users/companies/:id/invitations/:invitationId': {
    at: ({ companyId, invitation }) => `/users/companies/${companyId}/invitations/${invitation}`,
    mixed: (own, { invitation }) => `/users/companies/${own.companyId}/invitations/${invitation}`,
  },
  'DELETE /users/companies/:id/members/:userId': {
    at: ({ companyId, colleague }) => `/users/companies/${companyId}/members/${colleague.id}`,
    mixed: (own, { colleague }) => `/users/companies/${own.companyId}/members/${colleague.id}`,
  },
  'GET /licenses/applications/:id': application(),
  'PUT /licenses/applications/:id': application('', () => ({ form: GOOD_FORM })),
  'POST /licenses/applications/:id/submit': application('/submit'),
  'POST /licenses/applications/:id/resubmit': application('/resubmit'),
  'POST /licenses/applications/:id/withdraw': application('/withdraw', () => ({ reason: 'closing' })),
  'GET /licenses/applications/:id/timeline': application('/timeline'),
  'GET /licenses/applications/:id/deadline': application('/deadline'),
  'GET /licenses/applications/:id/diff': { at: ({ application: id }) => `/licenses/applications/${id}/diff` },
  'POST /licenses/applications/:id/respond': application('/respond', () => ({ text: 'It is mine.' })),
  'POST /licenses/applications/:id/reopen': application('/reopen', () => ({ text: 'I was ill.' })),
  'POST /licenses/applications/:id/appeal': application('/appeal', () => ({ text: 'It was wrong.' })),
  'POST /licenses/applications/:id/cancel': application('/cancel', () => ({ code: 'fraud', reason: 'curiosity' })),
  'POST /licenses/applications/:id/documents': application('/documents', form),
  'DELETE /licenses/applications/:id/documents/:documentId': {
    at: ({ draft, draftDocument }) => `/licenses/applications/${draft}/documents/${draftDocument}`,
    mixed: (own, { draftDocument }) => `/licenses/applications/${own.draft}/documents/${draftDocument}`,
  },
  'GET /documents/:id': { at: ({ document }) => `/documents/${document}` },
  'GET /licenses/applications/:id/evidence': { at: ({ application: id }) => `/licenses/applications/${id}/evidence` },
  'GET /licenses/applications/:id/evidence.pdf': {
    at: ({ application: id }) => `/licenses/applications/${id}/evidence.pdf`,
  },
  'GET /licenses/:id': { at: ({ license }) => `/licenses/${license}` },
  'GET /licenses/:id/certificate': { at: ({ license }) => `/licenses/${license}/certificate` },
  'POST /licenses/:id/suspend': { at: ({ license }) => `/licenses/${license}/suspend`, body: () => ({ reason: 'no' }) },
  'POST /licenses/:id/reinstate': {
    at: ({ license }) => `/licenses/${license}/reinstate`,
    body: () => ({ reason: 'no' }),
  },
  'POST /licenses/:id/revoke': { at: ({ license }) => `/licenses/${license}/revoke`, body: () => ({ reason: 'no' }) },
  'POST /licenses/:id/renew': { at: ({ license }) => `/licenses/${license}/renew`, body: () => ({}) },
  'POST /licenses/:id/supersede': {
    at: ({ license }) => `/licenses/${license}/supersede`,
    body: () => ({ byLicenseId: randomUUID(), reason: 'no' }),
  },
  // Of the office: nobody of a company has the right.
  'GET /admin/post-audits/:id': { at: () => `/admin/post-audits/${randomUUID()}` },
  'POST /admin/post-audits/:id/decide': {
    at: () => `/admin/post-audits/${randomUUID()}/decide`,
    body: () => ({ outcome: 'passed', findings: 'fine' }),
  },
  'POST /admin/post-audits/:id/proposal': {
    at: () => `/admin/post-audits/${randomUUID()}/proposal`,
    body: () => ({ decision: 'dismiss', note: 'fine' }),
  },
  'GET /invoices/:id': { at: ({ invoice }) => `/invoices/${invoice}` },
  'GET /invoices/:id/pdf': { at: ({ invoice }) => `/invoices/${invoice}/pdf` },
  'GET /invoices/:id/receipts': { at: ({ invoice }) => `/invoices/${invoice}/receipts` },
  'GET /invoices/:id/credit-notes': { at: ({ invoice }) => `/invoices/${invoice}/credit-notes` },
  'GET /receipts/:id/pdf': { at: ({ receipt }) => `/receipts/${receipt}/pdf` },
  'GET /credit-notes/:id/pdf': { at: ({ creditNote }) => `/credit-notes/${creditNote}/pdf` },
  'POST /invoices/:id/void': {
    at: ({ invoice }) => `/invoices/${invoice}/void`,
    body: () => ({ reason: 'wrong fee' }),
  },
  'POST /invoices/:id/pay': { at: ({ invoice }) => `/invoices/${invoice}/pay`, body: () => ({ gateway: 'billplz' }) },
  'POST /invoices/:id/pay-with-credit': { at: ({ invoice }) => `/invoices/${invoice}/pay-with-credit` },
  'GET /payments/:id': { at: ({ payment }) => `/payments/${payment}` },
  'GET /refunds/:id': refund(),
  'POST /refunds/:id/cancel': refund('/cancel'),
  'POST /refunds/:id/destination': refund('/destination', () => ({ channel: 'store_credit' })),
  'POST /refunds/:id/approve': refund('/approve'),
  'POST /refunds/:id/reject': refund('/reject', () => ({ note: 'no' })),
  'GET /refunds/:id/destination': refund('/destination'),
  'POST /refunds/:id/transferred': refund('/transferred', () => ({
    bankReference: 'TRF1',
    transferredAt: '2026-11-21T10:00:00+07:00',
  })),
  'POST /refunds/:id/transfer-failed': refund('/transfer-failed', () => ({ reason: 'other' })),
  'GET /users/companies/:id/cards': { at: ({ companyId }) => `/users/companies/${companyId}/cards` },
  'POST /users/companies/:id/cards': { at: ({ companyId }) => `/users/companies/${companyId}/cards` },
  'DELETE /users/companies/:id/cards/:cardId': {
    at: ({ companyId, card }) => `/users/companies/${companyId}/cards/${card}`,
    mixed: (own, { card }) => `/users/companies/${own.companyId}/cards/${card}`,
  },
  'GET /users/companies/:id/entitlements': { at: ({ companyId }) => `/users/companies/${companyId}/entitlements` },
  'GET /subscriptions/:id': subscription(),
  'GET /subscriptions/:id/terms': subscription('/terms'),
  'GET /subscriptions/:id/events': subscription('/events'),
  'POST /subscriptions/:id/cancel': subscription('/cancel', () => ({ at: 'now' })),
  'POST /subscriptions/:id/pause': subscription('/pause'),
  'POST /subscriptions/:id/resume': subscription('/resume'),
  'POST /subscriptions/:id/change-plan': subscription('/change-plan', () => ({ planCode: 'basic-monthly' })),
  'POST /subscriptions/:id/extend': subscription('/extend', () => ({ days: 1, reason: 'mine' })),
  'POST /subscriptions/:id/method': subscription('/method', () => ({ cardId: null })),
  'GET /orders/:id': orderAt(),
  'GET /orders/:id/timeline': orderAt('/timeline'),
  'POST /orders/:id/cancel': orderAt('/cancel', () => ({})),
  'POST /orders/:id/hold': orderAt('/hold', () => ({})),
  'POST /orders/:id/release': orderAt('/release'),
  'POST /orders/:id/pack': orderAt('/pack'),
  'POST /orders/:id/ship': orderAt('/ship', () => ({ carrier: 'jne' })),
  'POST /orders/:id/deliver': orderAt('/deliver', () => ({})),
  'POST /orders/:id/returned-to-sender': orderAt('/returned-to-sender', () => ({ shipmentId: randomUUID() })),
  'POST /orders/:id/edit': orderAt('/edit', () => ({ items: [{ sku: 'QR-PLATE', quantity: 1 }] })),
  'POST /orders/:id/reorder': orderAt('/reorder', () => ({})),
  'GET /returns/:id': goodsReturn(),
  'GET /returns/:id/timeline': goodsReturn('/timeline'),
  'POST /returns/:id/approve': goodsReturn('/approve', () => ({})),
  'POST /returns/:id/reject': goodsReturn('/reject', () => ({ reason: 'mine' })),
  'POST /returns/:id/request-info': goodsReturn('/request-info', () => ({ question: 'mine?' })),
  'POST /returns/:id/provide-info': goodsReturn('/provide-info', () => ({ answer: 'mine' })),
  'POST /returns/:id/cancel': goodsReturn('/cancel', () => ({})),
  'POST /returns/:id/receive': goodsReturn('/receive', () => ({})),
  'POST /returns/:id/inspect': goodsReturn('/inspect', () => ({ condition: 'as_new' })),
  'POST /returns/:id/resolve': goodsReturn('/resolve', () => ({ resolution: 'refund' })),
  'POST /returns/:id/accept-deduction': goodsReturn('/accept-deduction', () => ({})),
  'POST /returns/:id/dispute': goodsReturn('/dispute', () => ({ reason: 'mine' })),
  'POST /returns/:id/decide-dispute': goodsReturn('/decide-dispute', () => ({ decision: 'waive', note: 'mine' })),
  'POST /returns/:id/continue': goodsReturn('/continue', () => ({ to: 'cancelled', note: 'mine' })),
  'POST /returns/:id/photos': goodsReturn('/photos', photoForm),
  'GET /returns/:id/photos/:photoId': {
    at: ({ goodsReturn: id, returnPhoto }) => `/returns/${id}/photos/${returnPhoto}`,
    mixed: (own, theirs) => `/returns/${own.goodsReturn}/photos/${theirs.returnPhoto}`,
  },
  // Rules of the shop; they are nobody's.
  'GET /admin/shop-policies/:kind': { at: () => '/admin/shop-policies/return' },
  'POST /admin/shop-policies/:kind': { at: () => '/admin/shop-policies/return', body: () => ({ policy: {} }) },
  'GET /orders/:id/shipments': { at: ({ order }) => `/orders/${order}/shipments` },
  'GET /shipments/:id/packing-slip': shipment('/packing-slip'),
  'GET /shipments/:id/label': shipment('/label'),
  'PUT /shipments/:id/tracking': shipment('/tracking', () => ({ carrier: 'JNE', trackingNumber: 'JNE-1' })),
  'POST /shipments/:id/delivery-photo': shipment('/delivery-photo', form),
  'GET /shipments/:id/delivery-photo': shipment('/delivery-photo'),
  'GET /users/companies/:id/credit': { at: ({ companyId }) => `/users/companies/${companyId}/credit` },
  'GET /carts/:companyId': { at: ({ companyId }) => `/carts/${companyId}` },
  'PUT /carts/:companyId': { at: ({ companyId }) => `/carts/${companyId}`, body: () => ({ items: [] }) },
  'DELETE /carts/:companyId': { at: ({ companyId }) => `/carts/${companyId}` },
  // Of the shop, and of no company: its people see what lies where.
  'PUT /products/:sku': { at: () => '/products/NO-SUCH', body: () => ({ priceMinor: 1 }) },
  'GET /stock/:sku': { at: () => '/stock/NO-SUCH' },
  'POST /stock/:sku/receive': {
    at: () => '/stock/NO-SUCH/receive',
    body: () => ({ location: 'bandung', quantity: 1 }),
  },
  'POST /stock/:sku/adjust': {
    at: () => '/stock/NO-SUCH/adjust',
    body: () => ({ location: 'bandung', quantity: -1, note: 'mine' }),
  },
  'POST /stock-alerts/:id/acknowledge': { at: () => `/stock-alerts/${randomUUID()}/acknowledge` },
  'POST /stock-alerts/:id/snooze': { at: () => `/stock-alerts/${randomUUID()}/snooze`, body: () => ({ days: 1 }) },
  // Of the office; whose case it is, the process asks too (`not_assigned`), where one runs.
  'POST /licenses/review/:id': review('review', () => ({ decision: 'approve' })),
  'POST /licenses/approve/:id': review('approve'),
  'POST /licenses/reject/:id': review('reject', () => ({ reasons: [{ code: 'other', text: 'no' }] })),
  'POST /licenses/claim/:id': review('claim'),
  'POST /licenses/delegate/:id': review('delegate', ({ colleague }) => ({ userId: colleague.id, reason: 'holiday' })),
  'POST /licenses/declare-conflict/:id': review('declare-conflict', () => ({ reason: 'my neighbour' })),
  'POST /licenses/override/:id': review('override', () => ({ decision: 'approve', reason: 'mine' })),
  'POST /licenses/reassign/:id': review('reassign', ({ colleague }) => ({ userId: colleague.id, reason: 'holiday' })),
  // Of the office too, and of no company: who may read the books reads all of them.
  'GET /admin/ledger/trace/:paymentId': { at: ({ payment }) => `/admin/ledger/trace/${payment}` },
  // The office's own rules; a licence type is nobody's.
  'GET /admin/policies/:typeCode': { at: () => '/admin/policies/restaurant' },
  'POST /admin/policies/:typeCode': { at: () => '/admin/policies/restaurant' },
  'POST /admin/policies/:typeCode/move-open-cases': {
    at: () => '/admin/policies/restaurant/move-open-cases',
    body: ({ application: id }) => ({ applicationIds: [id], reason: 'mine' }),
  },
  'GET /admin/compliance-rules/:typeCode': { at: () => '/admin/compliance-rules/restaurant' },
  'POST /admin/compliance-rules/:typeCode': { at: () => '/admin/compliance-rules/restaurant' },
  'POST /admin/compliance-rules/:typeCode/dry-run': {
    at: () => '/admin/compliance-rules/restaurant/dry-run',
    body: () => ({ rules: [] }),
  },
  'PUT /admin/reasons/:code': { at: () => '/admin/reasons/other' },
  'GET /admin/settlements/:id': { at: () => `/admin/settlements/${randomUUID()}` },
  'GET /admin/settlements/:id/lines': { at: () => `/admin/settlements/${randomUUID()}/lines` },
  'GET /admin/reconciliation/:caseId': { at: () => `/admin/reconciliation/${randomUUID()}` },
  'POST /admin/reconciliation/:caseId/assign': {
    at: () => `/admin/reconciliation/${randomUUID()}/assign`,
    body: ({ colleague }) => ({ userId: colleague.id }),
  },
  'POST /admin/reconciliation/:caseId/resolve': {
    at: () => `/admin/reconciliation/${randomUUID()}/resolve`,
    body: () => ({ resolution: 'nothing_to_do', note: 'mine' }),
  },
  'DELETE /admin/absences/:id': { at: ({ absence }) => `/admin/absences/${absence}` },
  'GET /admin/task-moves/:id': { at: () => `/admin/task-moves/${randomUUID()}` },
  'GET /admin/users/:id': { at: ({ owner }) => `/admin/users/${owner.id}` },
  'POST /admin/users/:id/invite': { at: ({ owner }) => `/admin/users/${owner.id}/invite` },
  'DELETE /admin/users/:id/second-factors': { at: ({ owner }) => `/admin/users/${owner.id}/second-factors` },
  'PUT /admin/users/:id': { at: ({ owner }) => `/admin/users/${owner.id}`, body: () => ({ name: 'Mallory' }) },
  'GET /admin/api-keys/:id': { at: () => `/admin/api-keys/${randomUUID()}` },
  'DELETE /admin/api-keys/:id': { at: () => `/admin/api-keys/${randomUUID()}` },
  'POST /admin/api-keys/:id/rotate': { at: () => `/admin/api-keys/${randomUUID()}/rotate` },
  'POST /admin/companies/:id/personal-data': {
    at: ({ companyId }) => `/admin/companies/${companyId}/personal-data`,
    body: () => ({ reason: 'curiosity' }),
  },
  'POST /admin/users/:id/personal-data': {
    at: ({ owner }) => `/admin/users/${owner.id}/personal-data`,
    body: () => ({ reason: 'curiosity' }),
  },
};

/** Whoever has such a link may follow it: what it leads to, and why that is right. */
const OPEN: Readonly<Record<string, string>> = {
  '/verify/:code': 'the public record of a licence, by the code on its certificate',
  '/pay/:invoiceId': 'the bill itself, whose ID cannot be guessed, for whoever is to pay it',
  '/card/:cardId': 'whether a card was stored, for whoever comes back from the gateway: no card, no company',
  '/paid/:paymentId': 'the outcome for whoever comes back from the gateway, without names',
  '/webhooks/:gateway': 'signed by the gateway',
  '/problems/:code': 'explains a word',
  '/products/:sku': 'what is sold, for everybody with an account',
  // Each of these needs a link of a letter, of 32 random bytes; what it opens is read again as its holder may (api/shop-links.ts).
  '/orders/:token': 'the order of the link',
  '/orders/:token/return': 'a return of the order of the link',
  '/orders/:token/returns/:returnId': 'leads on to a return of that order; of another order there is none',
  '/orders/:token/review': 'how the order of the link was',
  '/orders/:token/cancel': 'the order of the link',
  '/orders/:token/link': 'sends another link to whom the first was sent, and shows nothing',
  '/returns/:token': 'the return of the link',
  '/returns/:token/label.pdf': 'the label of that return',
  '/returns/:token/photos': 'a photograph for that return',
  '/returns/:token/photos/:photoId': 'a photograph of that return; of another return there is none',
  '/returns/:token/answer': 'the return of the link',
  '/returns/:token/accept': 'the return of the link',
  '/returns/:token/dispute': 'the return of the link',
  '/returns/:token/choose': 'the return of the link',
  '/returns/:token/cancel': 'the return of the link',
  '/returns/:token/link': 'sends another link to whom the first was sent, and shows nothing',
};

/** IDs of others in a body or query: `not_found`, or a list that is empty. */
const NAMED: Readonly<Record<string, (api: TestApi, as: TestPerson, theirs: World) => Promise<void>>> = {
  'POST /licenses/applications': async (api, as, { companyId }) => {
    const body = { companyId, typeCode: 'x', form: GOOD_FORM };
    const answer = await ask<Problem>(api, as, 'POST', '/licenses/applications', { body });
    assert.deepEqual([answer.status, answer.body.code], [404, 'not_found']);
  },
  'GET /licenses/types': async (api, as, { companyId }) => {
    const answer = await ask<Problem>(api, as, 'GET', `/licenses/types?companyId=${companyId}`);
    assert.deepEqual([answer.status, answer.body.code], [404, 'not_found']);
  },
  'GET /licenses/applications': (api, as, { companyId }) =>
    isEmpty(api, as, `/licenses/applications?companyId=${companyId}`),
  'GET /returns': (api, as, { companyId }) => isEmpty(api, as, `/returns?companyId=${companyId}`),
  'POST /returns': async (api, as, { order }) => {
    const body = { orderId: order, items: [{ orderItemId: randomUUID(), reason: 'other' }] };
    const answer = await ask<Problem>(api, as, 'POST', '/returns', { body });
    assert.deepEqual([answer.status, answer.body.code], [404, 'not_found']);
  },
  'GET /orders': (api, as, { companyId }) => isEmpty(api, as, `/orders?companyId=${companyId}`),
  'POST /orders': async (api, as, { companyId }) => {
    const items = [{ sku: 'QR-PLATE', quantity: 1 }];
    const shipTo = { name: 'Mine', phone: '+62811111111', street: 'Jalan 1', city: 'Bandung', postalCode: '40111' };
    await isRefused(api, as, '/orders', { companyId, items, shipTo });
  },
  'GET /subscriptions': (api, as, { companyId }) => isEmpty(api, as, `/subscriptions?companyId=${companyId}`),
  'POST /subscriptions': async (api, as, { companyId }) => {
    const body = { companyId, planCode: 'basic-monthly' };
    await isRefused(api, as, '/subscriptions', body);
  },
  'POST /subscriptions/:id/method': (api, as, { subscription: id, card }) =>
    isRefused(api, as, `/subscriptions/${id}/method`, { cardId: card }),
  'POST /onboarding/:companyId/steps/documents': (api, as, { companyId, companyDocument }) =>
    isRefused(api, as, `/onboarding/${companyId}/steps/documents`, { documentIds: [companyDocument] }),
  'GET /invoices': (api, as, { companyId }) => isEmpty(api, as, `/invoices?companyId=${companyId}`),
  'GET /payments': (api, as, { invoice }) => isEmpty(api, as, `/payments?invoiceId=${invoice}`),
  'GET /refunds': async (api, as, { payment, companyId }) => {
    await isEmpty(api, as, `/refunds?paymentId=${payment}`);
    await isEmpty(api, as, `/refunds?companyId=${companyId}`);
  },
  'POST /refunds': async (api, as, { payment }) => {
    const answer = await ask<Problem>(api, as, 'POST', '/refunds', { body: { paymentId: payment } });
    assert.deepEqual([answer.status, answer.body.code], [404, 'not_found']);
  },
  'GET /payments/methods': async (api, as, { invoice }) => {
    const answer = await ask<Problem>(api, as, 'GET', `/payments/methods?invoiceId=${invoice}`);
    assert.deepEqual([answer.status, answer.body.code], [404, 'not_found']);
  },
};

/** Not theirs, or not for programmes. */
async function isRefused(api: TestApi, as: TestPerson, path: string, body: unknown): Promise<void> {
  const answer = await ask<Problem>(api, as, 'POST', path, { body });
  assert.ok(['404 not_found', '403 forbidden'].includes(`${answer.status} ${answer.body.code}`), answer.body.detail);
}

async function isEmpty(api: TestApi, as: TestPerson, path: string): Promise<void> {
  const { status, body } = await ask(api, as, 'GET', path);
  assert.deepEqual([status, body['items']], [200, []]);
}

const nameOf = (route: Pick<Route, 'method' | 'path'>): string => `${route.method.toUpperCase()} ${route.path}`;
const withIds = routes.filter(({ path }) => path.includes(':'));
/** What every role may read is nobody's own. */
const isOpen = ({ permission }: Pick<Route, 'permission'>): boolean =>
  permission === 'public' || permission === 'product.read';
const reaching = withIds.filter((route) => !isOpen(route));

describe('what belongs to others', () => {
  let database: TestDatabase;
  let connection: Connection;
  let api: TestApi;
  let type: LicenseTypeRow;
  let mallory: World;
  let victim: World;
  let verifier: TestPerson;

  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    connection = await Connection.connect({ address: (await temporal()).address });
    api = await startApi(database, { temporal: new Client({ connection }), taskQueue: `nobody-${randomUUID()}` });
    type = await aLicenseType(database.db, { checklist: [] });
    [mallory, victim] = [await aWorld(), await aWorld()];
    verifier = await api.person('verifier');
  });
  after(async () => {
    await api.close();
    await connection.close();
    await database.drop();
  });

  async function aWorld(): Promise<World> {
    const { db } = database;
    const [owner, colleague, integrator] = await Promise.all([
      api.person('owner'),
      api.person('owner'),
      api.person('integrator'),
    ]);
    const companyId = await aCompany(db, owner.id);
    await db('company_members').insert(
      [colleague, integrator].map(({ id }) => ({ company_id: companyId, user_id: id })),
    );
    const given = { companyId, type, applicantId: owner.id };
    const [draft, application] = [
      await anApplication(db, given),
      await anApplication(db, { ...given, state: 'active' }),
    ];
    for (const round of [1, 2]) await aSubmission(db, { applicationId: application, round, by: owner.id });
    const { sha256 } = await api.deps.files.put(Buffer.from('%PDF-1.4 test'));
    const [license, invoice] = [
      await aLicense(db, { applicationId: application, companyId, type, certificate: sha256 }),
      await anInvoice(db, { companyId, applicationId: application, pdf: sha256 }),
    ];
    const payment = await aPayment(db, { invoiceId: invoice });
    await anEvidencePack(db, { applicationId: application, companyId, type, pdf: sha256 });
    const { body } = await ask(api, owner, 'POST', `/users/companies/${companyId}/invitations`, {
      body: { email: `${randomUUID()}@example.test` },
    });
    const order = await aPackedOrder(db, { companyId, by: owner.id });
    // Over, so that nobody is needed to answer for its process.
    await db('orders').where({ id: order.orderId }).update({ ended_at: new Date() });
    return {
      owner,
      colleague,
      integrator,
      companyId,
      draft,
      draftDocument: await aDocument(draft, owner, sha256),
      companyDocument: await aCompanyDocument(companyId, owner, sha256),
      application,
      document: await aDocument(application, owner, sha256),
      license: license.id,
      invoice,
      payment: payment.id,
      refund: await aRefund(owner, companyId, invoice, payment.id),
      receipt: await aReceipt(db, { invoiceId: invoice, paymentId: payment.id, pdf: sha256 }),
      creditNote: await aCreditNote(db, { invoiceId: invoice, pdf: sha256 }),
      invitation: String(body['id']),
      // Over: its process is gone, and says nothing to its own people either.
      subscription: await aSubscription(db, { companyId, by: owner.id, plan: await aPlan(db), state: 'cancelled' }),
      order: order.orderId,
      shipment: await aPrintedParcel(order, sha256),
      ...(await aReturnWithPhoto(order, sha256)),
      device: await aDevice(owner),
      card: await aCard(database.db, { companyId, by: owner.id }),
      absence: await anAbsence(),
    };
  }

  /** Over, and so is the return below: their own people hear that from the record, without a process that nobody works on. */
  async function aRefund(by: TestPerson, companyId: CompanyId, invoiceId: string, paymentId: string): Promise<string> {
    const id = randomUUID();
    const at = new Date();
    await database.db('refunds').insert({
      id,
      payment_id: paymentId,
      invoice_id: invoiceId,
      company_id: companyId,
      state: 'cancelled',
      amount_minor: 1_000,
      currency: 'IDR',
      source: 'invoice',
      reason: 'goodwill',
      needs_approval: false,
      requested_by: by.id,
      requested_at: at,
      ended_at: at,
      updated_at: at,
    });
    return id;
  }

  async function aReturnWithPhoto({ orderId, companyId, by, itemId }: PackedOrder, sha256: string) {
    const { db } = database;
    const [goodsReturn, returnPhoto, at] = [randomUUID(), randomUUID(), new Date()];
    await db('returns').insert({
      id: goodsReturn,
      number: `RMA/TEST/${goodsReturn.slice(0, 12)}`,
      order_id: orderId,
      company_id: companyId,
      requested_by: by,
      state: 'expired',
      policy: JSON.stringify(DEFAULT_RETURN_POLICY),
      wanted: 'refund',
      requested_at: at,
      state_since: at,
      taken_at: at,
      updated_at: at,
    });
    await db('return_units').insert({
      return_id: goodsReturn,
      order_item_id: itemId,
      number: 1,
      state: 'requested',
      reason: 'other',
    });
    await db('return_photos').insert({
      id: returnPhoto,
      return_id: goodsReturn,
      kind: 'claim',
      filename: 'bukti.png',
      sha256,
      bytes: 1,
      content_type: 'image/png',
      uploaded_by: by,
      uploaded_at: at,
      scan_state: 'clean',
    });
    return { goodsReturn, returnPhoto };
  }

  async function aPrintedParcel(order: PackedOrder, sha256: string): Promise<string> {
    const id = await aParcel(database.db, order);
    const papers = { label_sha256: sha256, packing_slip_sha256: sha256, photo_sha256: sha256 };
    await database
      .db('shipments')
      .where({ id })
      .update({ ...papers, photo_content_type: 'image/png', state: 'labelled' });
    return id;
  }

  async function aCompanyDocument(companyId: CompanyId, by: TestPerson, sha256: string): Promise<string> {
    const id = randomUUID();
    await database.db('company_documents').insert({
      id,
      company_id: companyId,
      kind: 'deed',
      filename: 'akta.pdf',
      sha256,
      bytes: 13,
      content_type: 'application/pdf',
      uploaded_by: by.id,
      uploaded_at: new Date(),
      scan_state: 'not_scanned',
    });
    return id;
  }

  async function aDocument(applicationId: ApplicationId, by: TestPerson, sha256: string): Promise<string> {
    const id = randomUUID();
    await database.db('documents').insert({
      id,
      application_id: applicationId,
      kind: 'ktp',
      filename: 'ktp.pdf',
      sha256,
      bytes: 13,
      content_type: 'application/pdf',
      uploaded_by: by.id,
      uploaded_at: new Date(),
    });
    return id;
  }

  async function anAbsence(): Promise<string> {
    const id = randomUUID();
    const { id: userId } = await api.person('verifier');
    const [from, to] = [new Date(), new Date(Date.now() + 86_400_000)];
    const row = { user_id: userId, from_at: from, to_at: to, reason: 'leave', planned_by: userId, planned_at: from };
    await database.db('absences').insert({ id, ...row });
    return id;
  }

  async function aDevice({ id: userId }: TestPerson): Promise<string> {
    const [id, now] = [randomUUID(), new Date()];
    await database.db('devices').insert({
      id,
      user_id: userId,
      token_hash: randomBytes(32).toString('hex'),
      name: 'a test',
      address: '127.0.0.1',
      network: '127.0.0.0/24',
      created_at: now,
      last_seen_at: now,
      expires_at: new Date(now.getTime() + 86_400_000),
    });
    return id;
  }

  /** The integrator of a company, by a key with every scope there is. */
  async function keyOf({ integrator }: World): Promise<TestPerson> {
    const key = { id: randomUUID(), scopes: SCOPES, requestsPerMinute: 1_000_000, networks: [] };
    const token = await api.deps.tokens.issue({ userId: integrator.id, roles: ['integrator'], key });
    return { ...integrator, token, headers: { authorization: `Bearer ${token}` } };
  }

  const call = (route: Route, as: TestPerson, path: string, body?: unknown) =>
    ask<Problem>(api, as, route.method.toUpperCase(), path, body === undefined ? {} : { body });

  it('is in the table for every route of the OpenAPI document that takes an ID', async () => {
    const paths = z.record(z.string(), z.record(z.string(), z.unknown()));
    const document = z.object({ paths }).parse(await (await fetch(`${api.url}/openapi.json`)).json());
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      path.includes('{')
        ? Object.keys(operations).map((method) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`)
        : [],
    );
    assert.deepEqual(described.toSorted(), withIds.map((route) => `${route.method} ${patternOf(route)}`).toSorted());
    const missing = withIds.filter((route) => (isOpen(route) ? !(route.path in OPEN) : !(nameOf(route) in REACHES)));
    assert.deepEqual(missing.map(nameOf), [], 'say in REACHES where an object of company B is for this route');
    const known = withIds.map((route) => (isOpen(route) ? route.path : nameOf(route)));
    const gone = [...Object.keys(REACHES), ...Object.keys(OPEN)].filter((name) => !known.includes(name));
    assert.deepEqual(gone, [], 'these routes are no more');
  });

  for (const route of reaching) {
    it(`is out of reach of ${nameOf(route)}`, async () => {
      const reach = REACHES[nameOf(route)];
      assert.ok(reach);
      const mayOwner = mayBe(route, ['owner']);
      // What only looks, and what an owner may not even try, leaves the world as it was.
      const theirs = route.method === 'get' || !mayOwner ? victim : await aWorld();
      const [path, body] = [reach.at(theirs), reach.body?.(theirs)];
      const paths = [path, ...(reach.mixed ? [reach.mixed(mallory, theirs)] : [])];
      const callers: [who: string, person: TestPerson, roles: Role[], byKey: boolean][] = [
        ['the owner of another company', mallory.owner, ['owner'], false],
        ['the integrator of another company', mallory.integrator, ['integrator'], false],
        ['its key', await keyOf(mallory), ['integrator'], true],
        ['a reviewer who never had the case', verifier, ['verifier'], false],
      ];
      for (const [who, person, roles, byKey] of callers) {
        if (reach.ofOffice && person === verifier) continue;
        const passes = mayBe(route, roles) && !(byKey && !keyPasses(route));
        for (const at of passes ? paths : [path]) {
          const { status, body: said } = await call(route, person, at, reach.body?.(theirs));
          assert.deepEqual([status, said.code], passes ? [404, 'not_found'] : [403, 'forbidden'], `${who}: ${at}`);
        }
      }
      if (!mayOwner) return;
      // Their own reach it: so it was not a wrong address that nobody found.
      const { status, body: said } = await call(route, theirs.owner, path, body);
      const wrong = ['not_found', 'forbidden', 'unauthenticated', 'invalid_request', 'malformed_request'];
      assert.ok(status < 500 && !wrong.includes(said.code), `its owner: ${status} ${said.code} ${said.detail}`);
    });
  }

  const mayBe = ({ permission }: Route, roles: Role[]): boolean => permission !== 'public' && may(roles, permission);
  const keyPasses = (route: Route): boolean =>
    route.permission !== 'public' &&
    !route.ownAccount &&
    !route.stepUp &&
    keyMay(SCOPES, route.permission, route.method);

  it('is no administrator’s either where it is a person’s own: log-ins and devices', async () => {
    const theirs = await aWorld();
    const admin = await api.person('admin', 'supervisor');
    await api.stepUp(admin);
    for (const path of [`/auth/sessions/${theirs.owner.sessionId}`, `/auth/devices/${theirs.device}`])
      assert.equal((await ask(api, admin, 'DELETE', path)).status, 404, path);
    assert.equal((await ask(api, theirs.owner, 'GET', '/users/profile')).status, 200);
  });

  const fieldsOf = (schema: z.ZodType | undefined): string[] =>
    schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const naming = routes.filter(
    ({ permission, body, query }) =>
      permission !== 'public' &&
      (may(['owner'], permission) || may(['integrator'], permission)) &&
      [...fieldsOf(body), ...fieldsOf(query)].some((field) => /Ids?$/.test(field)),
  );

  it('is in the table for every route that takes an ID in its body or query', () => {
    assert.deepEqual(naming.map(nameOf).toSorted(), Object.keys(NAMED).toSorted());
  });

  for (const [name, check] of Object.entries(NAMED)) {
    it(`is out of reach of ${name} with an ID of theirs in it`, async () => {
      const theirs = victim;
      for (const person of [mallory.owner, mallory.integrator, await keyOf(mallory)]) await check(api, person, theirs);
    });
  }

  it('is in no list', async () => {
    const theirs = victim;
    const ids = [
      theirs.companyId,
      theirs.draft,
      theirs.application,
      theirs.license,
      theirs.invoice,
      theirs.payment,
      theirs.refund,
      theirs.subscription,
    ];
    const lists = routes.filter(
      ({ method, path, permission }) =>
        method === 'get' && !path.includes(':') && permission !== 'public' && may(['owner'], permission),
    );
    assert.ok(lists.length > 6);
    for (const route of lists) {
      const { status, body } = await ask(api, mallory.owner, 'GET', `${route.path}${ASKED_WITH[route.path] ?? ''}`);
      assert.equal(status, 200, route.path);
      const found = [...ids, theirs.owner.id, theirs.owner.sessionId, theirs.device].filter((id) =>
        JSON.stringify(body).includes(id),
      );
      assert.deepEqual(found, [], route.path);
    }
  });
});

/** Lists that answer no empty question. */
const ASKED_WITH: Readonly<Record<string, string>> = { '/payments/methods': '?currency=IDR&amountMinor=5000' };

/** What an attacker adds to a body in the hope that it is written down. */
const GREEDY = [
  'id',
  'role',
  'roles',
  'status',
  'state',
  'userId',
  'ownerId',
  'companyId',
  'officeId',
  'applicantId',
  'assigneeId',
  'emailVerified',
  'emailVerifiedAt',
  'passwordHash',
  'tokenVersion',
  'createdAt',
  'isAdmin',
  'permissions',
  '__proto__',
  'constructor',
];

describe('a body takes what its route declares', () => {
  let database: TestDatabase;
  let api: TestApi;
  let everybody: TestPerson;
  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    everybody = await api.person(...ROLES);
    await api.stepUp(everybody);
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  const problem = z.object({
    code: z.string(),
    errors: z.array(z.object({ pointer: z.string(), code: z.string() })).default([]),
  });

  const declaredBy = (route: Route): string[] =>
    route.body instanceof z.ZodObject ? Object.keys(route.body.shape) : [];

  // Written as text: an object literal would set its prototype instead of a field of that name.
  const jsonOf = (fields: readonly string[]): string =>
    `{${fields.map((field) => `${JSON.stringify(field)}:"x"`).join()}}`;

  function sent(route: Route, fields: readonly string[]): { body: string | FormData | URLSearchParams; type?: string } {
    if (route.form) return { body: new URLSearchParams(fields.map((field): [string, string] => [field, 'x'])) };
    if (!route.multipart) return { body: jsonOf(fields), type: 'application/json' };
    const body = form();
    if (!declaredBy(route).includes('kind')) body.delete('kind');
    for (const field of fields) body.set(field, 'x');
    return { body };
  }

  for (const route of routes.filter(({ method, raw }) => (method === 'post' || method === 'put') && !raw)) {
    it(`and nothing else: ${nameOf(route)}`, async () => {
      const fields = GREEDY.filter((field) => !declaredBy(route).includes(field));
      const path = patternOf(route).replace(/:\w+/g, () => randomUUID());
      // A form of parts has a limit of its own on how many there are.
      const atOnce = route.multipart ? 4 : fields.length;
      for (let from = 0; from < fields.length; from += atOnce) {
        await refusesAll(route, path, fields.slice(from, from + atOnce));
      }
    });
  }

  async function refusesAll(route: Route, path: string, fields: readonly string[]): Promise<void> {
    const { body, type } = sent(route, fields);
    const response = await fetch(api.url + path, {
      method: route.method.toUpperCase(),
      headers: {
        ...everybody.headers,
        accept: 'application/json',
        ...(type === undefined ? {} : { 'content-type': type }),
      },
      body,
    });
    const said = problem.parse(await response.json());
    assert.deepEqual([response.status, said.code], [422, 'invalid_request']);
    const refused = said.errors.filter(({ code }) => code === 'unknown_field').map(({ pointer }) => pointer.slice(1));
    assert.deepEqual(refused.toSorted(), fields.toSorted());
  }
});
