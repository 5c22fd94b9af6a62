import type { MailTemplateCode, MailVariables } from '../../../domain/mail.ts';

const recipientName = 'Sari Wulandari';
const one = {
  recipientName,
  companyName: 'Warung Sejahtera',
  licenseName: 'Sertifikat Standar Industri Makanan',
  applicationId: '0197a1c2-0000-7000-8000-000000000001',
};
const task = { ...one, stage: 'compliance_check', dueAt: '2026-11-25T16:00:00+07:00' } as const;
const bill = {
  ...one,
  invoiceNumber: 'INV/2026/000042',
  total: { amountMinor: '1250000', currency: 'IDR' },
} as const;
const openBill = { ...bill, dueAt: '2026-11-28T10:14:00+07:00', payUrl: 'https://pay.example.id/snap/1?a=1&b=2' };
const reasons = [{ text: 'Foto dapur buram' }, { text: 'NIB tidak terbaca' }];

const expiresAt = '2026-11-22T10:14:00+07:00';
const seen = { at: '2026-11-21T10:14:00+07:00', device: 'Chrome on Android', address: '203.0.113.7' };
const link = (page: string): string => `https://alur.example.id/account/${page}?token=Zm9v`;

const absence = {
  from: '2026-12-01T00:00:00+07:00',
  to: '2026-12-08T00:00:00+07:00',
  moved: 7,
  queued: 2,
  stayed: 1,
};

const standing = {
  licenseNumber: 'UMKM-KIOSK/2026/000123',
  licenseName: one.licenseName,
  companyName: one.companyName,
  at: '2026-12-01T10:14:00+07:00',
};

/** One plausible set for each letter. */
const refund = {
  recipientName,
  refundId: '0f6a1c3e-53a1-4f5c-9d43-6a2a8f2b9d10',
  invoiceNumber: 'INV/2026/000042',
  amount: { amountMinor: '1250000', currency: 'IDR' },
  way: 'bank_transfer',
  needsApproval: true,
  note: 'dibayar dua kali',
} as const satisfies MailVariables['refund_requested'];
const refunds = {
  refund_requested: refund,
  refund_approved: refund,
  refund_destination_needed: refund,
  refund_succeeded: refund,
  refund_delayed: refund,
  refund_refused: refund,
  refund_to_approve: refund,
  refund_to_transfer: refund,
  refund_without_destination: refund,
};

const due = {
  recipientName,
  licenseNumber: 'UMKM-KIOSK/2026/000123',
  licenseName: 'Izin Kios Eceran',
  companyName: 'Kopi Senja',
  validUntil: '2031-11-21T10:14:00+07:00',
  days: 90,
  isUnderWay: false,
  lateDays: 30,
  lateFeePercent: 25,
};

const news = {
  recipientName,
  ...standing,
  note: 'Denah lokasi berbeda',
  successorNumber: 'UMKM-KIOSK/2027/000007',
  audited: true,
};

const onboarding = {
  recipientName,
  companyName: 'Kopi Senja',
  companyId: '3f0e2f0a-7a54-4a63-9a0e-5f1b1c9d7e21',
  note: 'Akta tidak terbaca',
  eraseAt: '2027-02-19T10:14:00+07:00',
  suggested: 'Izin Restoran, Izin Reklame',
};

const subscription = {
  recipientName,
  companyName: one.companyName,
  planName: 'Paket Usaha',
  at: '2026-12-01T10:14:00+07:00',
  until: '2027-01-01T10:14:00+07:00',
  nextAt: '2027-01-22T10:14:00+07:00',
  amount: { amountMinor: '111000', currency: 'IDR' },
  invoiceNumber: 'INV/2026/000042',
  dueAt: '2027-01-01T10:14:00+07:00',
  payUrl: 'https://alur.example.id/pay/0f6a1c3e-53a1-4f5c-9d43-6a2a8f2b9d10',
  isOver: false,
  isUpgrade: false,
  isTrial: true,
} as const satisfies MailVariables['subscription_invoice'];
const subscriptions = {
  subscription_started: subscription,
  subscription_reminder: subscription,
  subscription_invoice: subscription,
  subscription_payment_due: subscription,
  subscription_grace: subscription,
  subscription_suspended: subscription,
  subscription_renewed: subscription,
  subscription_cancelled: subscription,
};

const aboutGoods = {
  recipientName,
  companyName: 'Warung Sejahtera',
  at: '2026-11-21T10:14:00+07:00',
  until: '2026-12-05T10:14:00+07:00',
  amount: { amountMinor: '185000', currency: 'IDR' },
  items: [{ text: '2 × Kopi Gayo 250 g' }, { text: '1 × Cangkir' }],
  carrier: 'JNE',
  trackingNumber: 'JT0001234567',
  note: 'Stiker segel sudah terbuka.',
  pageUrl: 'https://alur.example.id/orders/Zm9v',
} as const;
const order = {
  ...aboutGoods,
  orderNumber: 'ORD/2026/000123',
  total: { amountMinor: '385000', currency: 'IDR' },
  isCharged: false,
  isPart: false,
  reason: 'this was asked for',
  risks: 'a large amount',
  payUrl: 'https://alur.example.id/pay/0f6a1c3e-53a1-4f5c-9d43-6a2a8f2b9d10',
  stopUrl: 'https://alur.example.id/letters/stop/Zm9v',
} as const satisfies MailVariables['order_confirmed'];
const aReturn = {
  ...aboutGoods,
  returnId: '0f6a1c3e-53a1-4f5c-9d43-6a2a8f2b9d10',
  returnNumber: 'RMA/2026/000045',
  orderNumber: 'ORD/2026/000123',
  resolution: 'a refund the way you paid',
  defaultResolution: 'a refund the way you paid',
  deductions: [{ text: 'Used: −Rp15.000' }],
  reasons: [{ text: 'The customer disputes the deductions' }],
  isForInfo: false,
  isOnItsWay: false,
  isRestMissing: false,
  hasLabel: true,
  replacementNumber: 'ORD/2026/000130',
} as const satisfies MailVariables['return_inspected'];
const credit = {
  recipientName,
  companyName: 'Warung Sejahtera',
  amount: { amountMinor: '185000', currency: 'IDR' },
  expiresAt: '2027-11-22T00:00:00+07:00',
} as const;
const shop = {
  order_confirmed: order,
  order_on_hold: order,
  order_backordered: order,
  order_shipped: order,
  order_delivered: order,
  order_cancelled: order,
  order_edited: order,
  order_unpaid_reminder: order,
  order_hold_reminder: order,
  order_lost: order,
  order_sent_back: order,
  order_parcel_failed: order,
  order_arrived_late: order,
  order_review_request: order,
  order_link: order,
  return_requested: aReturn,
  return_approved: aReturn,
  return_approved_keep: aReturn,
  return_refused: aReturn,
  return_info_requested: aReturn,
  return_reminder: aReturn,
  return_expired: aReturn,
  return_received: aReturn,
  return_inspected: aReturn,
  return_disputed: aReturn,
  return_dispute_decided: aReturn,
  return_resolution_reminder: aReturn,
  return_resolution_defaulted: aReturn,
  return_refund_sent: aReturn,
  return_refund_done: aReturn,
  return_store_credit: aReturn,
  return_replacement_sent: aReturn,
  return_lost: aReturn,
  return_cancelled: aReturn,
  return_reopened: aReturn,
  return_photo_infected: aReturn,
  return_link: aReturn,
  return_to_staff: aReturn,
  credit_expiring: credit,
  credit_expired: credit,
};

export const SAMPLE_VARIABLES: { readonly [Code in MailTemplateCode]: MailVariables[Code] } = {
  welcome: { recipientName, email: 'sari@example.id' },
  stock_low: {
    recipientName,
    sku: 'QR-PLATE',
    productName: 'Papan QR pembayaran',
    free: 3,
    threshold: 10,
    isRepeat: false,
  },
  cart_reminder: {
    recipientName,
    companyName: one.companyName,
    items: [{ text: '2 × Papan QR pembayaran' }],
    shopUrl: 'https://alur.example.id',
    stopUrl: link('advertising'),
  },
  calendar_incomplete: { recipientName, calendarOffice: 'Dinas Perizinan Kota Contoh', year: 2027 },
  application_submitted: { ...one, submittedAt: '2026-11-21T10:14:00+07:00', dueAt: '2026-11-28T16:00:00+07:00' },
  task_assigned: task,
  task_reminder: task,
  task_at_risk: { ...task, assigneeName: 'Budi Santoso' },
  task_breached: { ...task, formerAssigneeName: 'Budi Santoso' },
  task_overdue: { ...task, assigneeName: 'Budi Santoso', lastDay: true },
  task_unassigned: task,
  correction_reminder: { ...one, respondBy: '2026-12-05T16:00:00+07:00' },
  rejection_announced: { ...one, reasons, respondBy: '2026-12-05T16:00:00+07:00' },
  application_reopened: { ...one, respondBy: '2026-12-05T16:00:00+07:00' },
  application_cancelled: { ...one, cancelledAt: '2026-11-22T08:00:00+07:00' },
  correction_requested: { ...one, reasons, round: 1, respondBy: '2026-12-05T16:00:00+07:00' },
  application_rejected: { ...one, reasons, decidedAt: '2026-11-27T09:30:00+07:00' },
  document_quarantined: { ...one, documentKind: 'identity card', documentName: 'ktp sari.pdf' },
  application_withdrawn: { ...one, withdrawnAt: '2026-11-22T08:00:00+07:00' },
  invoice_issued: { ...openBill, replaces: null, byLaw: false },
  payment_reminder: openBill,
  invoice_voided: { ...bill, voidedAt: '2026-11-28T10:14:00+07:00' },
  application_lapsed_unpaid: { ...bill, lapsedAt: '2026-11-28T10:14:00+07:00' },
  payment_received: {
    ...bill,
    paid: { amountMinor: '500000', currency: 'IDR' },
    outstanding: { amountMinor: '750000', currency: 'IDR' },
    receiptNumber: 'RCP/2026/000017',
  },
  subscription_payment_received: {
    recipientName: 'Sari Wulandari',
    planName: 'Alur Usaha',
    invoiceNumber: 'INV/2026/000043',
    receiptNumber: 'RCP/2026/000018',
    paid: { amountMinor: '500000', currency: 'IDR' },
    total: { amountMinor: '500000', currency: 'IDR' },
    outstanding: { amountMinor: '0', currency: 'IDR' },
  },
  payment_late: {
    ...one,
    invoiceNumber: 'INV/2026/000042',
    paid: { amountMinor: 1_250_000, currency: 'IDR' },
    paidAt: '2026-11-29T07:05:00+07:00',
    gateway: 'Midtrans',
  },
  license_issued: {
    ...one,
    licenseNumber: 'SS/2026/000123',
    validFrom: '2026-11-21T10:14:00+07:00',
    validUntil: '2031-11-21T00:00:00+07:00',
    verifyUrl: 'https://alur.example.id/verify/7F3K-9QWX',
  },
  license_issued_by_law: {
    ...one,
    licenseNumber: 'SS/2026/000123',
    validFrom: '2026-11-21T10:14:00+07:00',
    validUntil: '2031-11-21T00:00:00+07:00',
    verifyUrl: 'https://alur.example.id/verify/7F3K-9QWX',
  },
  license_renewed: {
    ...one,
    licenseNumber: 'SS/2031/000007',
    renewedNumber: 'SS/2026/000123',
    validFrom: '2031-11-21T00:00:00+07:00',
    validUntil: '2036-11-21T00:00:00+07:00',
    verifyUrl: 'https://alur.example.id/verify/9QWX-7F3K',
  },
  license_renewal_open: due,
  license_renewal_reminder: { ...due, days: 14, isUnderWay: true },
  license_suspended_by_office: news,
  license_reinstated_by_office: news,
  license_revoked: news,
  license_expired: news,
  license_superseded: news,
  license_suspension_proposed: news,
  onboarding_reminder: onboarding,
  onboarding_asked_again: onboarding,
  onboarding_completed: onboarding,
  onboarding_expired: onboarding,
  license_suspended: { recipientName, ...standing, refunded: false },
  license_reinstated: { recipientName, ...standing },
  ...subscriptions,
  ...shop,
  verify_email: { recipientName, expiresAt, email: 'sari@example.id', verifyUrl: link('verify-email') },
  password_reset: { recipientName, expiresAt, resetUrl: link('reset-password') },
  password_changed: { recipientName, at: seen.at, address: seen.address },
  sign_in_reused: { recipientName, ...seen },
  account_locked: {
    recipientName,
    expiresAt,
    lockedUntil: '2026-11-21T10:29:00+07:00',
    address: seen.address,
    unlockUrl: link('unlock'),
  },
  new_device: { recipientName, ...seen },
  second_factor_changed: { recipientName, at: seen.at, change: 'backup_code_used' },
  login_code: { recipientName, expiresAt, code: '042137' },
  join_staff: {
    recipientName,
    expiresAt,
    inviterName: 'Budi Santoso',
    roles: ['verifier', 'finance'],
    joinUrl: link('join'),
  },
  money_stuck: { recipientName, count: 2, paid: 'INV/2026/000042', unclear: '–', at: seen.at },
  tasks_moved: { recipientName, count: 7, at: seen.at },
  absence_began: { recipientName, ...absence },
  absence_of_staff: { recipientName, ...absence, absenteeName: 'Budi Santoso' },
  join_company: {
    recipientName,
    expiresAt,
    inviterName: 'Budi Santoso',
    companyName: 'Warung Sejahtera',
    joinUrl: link('join-company'),
  },
  ...refunds,
  finance_daily: {
    recipientName,
    dayStart: '2026-11-20T00:00:00+07:00',
    walks: [
      { gateway: 'xendit', state: 'finished', compared: 120, differences: 2, failure: null },
      { gateway: 'billplz', state: 'failed', compared: 3, differences: 0, failure: 'unauthorized' },
    ],
    openCases: [{ kind: 'missing_here', count: 2, oldestHours: 31 }],
    refunds: { awaitingApproval: 1, awaitingTransfer: 4 },
    totals: [
      {
        captured: { amountMinor: '1250000', currency: 'IDR' },
        refunded: { amountMinor: '0', currency: 'IDR' },
        settled: { amountMinor: '1100000', currency: 'IDR' },
      },
    ],
  },
};
