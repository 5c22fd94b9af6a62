/**
 * Who people are to the office. A user may hold several roles; `owner` is everybody who registered. `seller` runs the shop:
 * prices, orders, returns; `warehouse` packs, sends, receives and inspects.
 */
export const ROLES = [
  'owner',
  'verifier',
  'examiner',
  'approver',
  'head',
  'supervisor',
  'finance',
  'seller',
  'warehouse',
  'ops',
  'admin',
  'integrator',
] as const;
export type Role = (typeof ROLES)[number];

/** `head` = the head of the office. */
export const REVIEWER_ROLES = ['verifier', 'examiner', 'approver', 'head'] as const satisfies readonly Role[];
export type ReviewerRole = (typeof REVIEWER_ROLES)[number];

const STAFF: readonly Role[] = [
  'verifier',
  'examiner',
  'approver',
  'head',
  'supervisor',
  'finance',
  'seller',
  'warehouse',
  'ops',
  'admin',
];
export const isStaff = (roles: readonly Role[]): boolean => roles.some((role) => STAFF.includes(role));

/**
 * Whether one account may hold these roles together. Nobody stands on both sides of the counter, for nobody decides on an
 * application of their own: an account is an owner's, or a machine's, or its roles are all of the office.
 */
export const rolesFit = (roles: readonly Role[]): boolean =>
  roles.length === 1 || (roles.length > 1 && roles.every((role) => STAFF.includes(role)));

/** Each once, in the order of the table: so that two lists of the same roles are the same. */
export const inOrder = (roles: readonly Role[]): Role[] => ROLES.filter((role) => roles.includes(role));

/** Staff who see every case, not only those they work on. */
const OVERSIGHT: readonly Role[] = ['head', 'supervisor', 'finance', 'ops', 'admin'];
export const seesEveryCase = (roles: readonly Role[]): boolean => roles.some((role) => OVERSIGHT.includes(role));

/**
 * What may be done, and by whom: the only table of rights. A route names one of these; whether this case is theirs
 * is asked afterwards, by ownership or assignment.
 */
export const PERMISSIONS = {
  'profile.use': ROLES,
  'company.read': ['owner', 'integrator'],
  'company.manage': ['owner'],
  'onboarding.use': ['owner'],
  'onboarding.read': ['owner', 'integrator', 'verifier', 'supervisor', 'ops', 'admin'],
  'onboarding.review': ['verifier', 'supervisor'],
  'plan.read': ROLES,
  'plan.manage': ['admin'],
  'subscription.read': ['owner', 'supervisor', 'finance', 'ops', 'admin', 'integrator'],
  'subscription.manage': ['owner'],
  'subscription.extend': ['finance', 'supervisor', 'admin'],
  'product.read': ROLES,
  'product.manage': ['seller', 'admin'],
  'stock.read': ['seller', 'warehouse', 'supervisor', 'ops', 'admin'],
  'stock.manage': ['seller', 'warehouse', 'supervisor', 'admin'],
  'order.read': ['owner', 'seller', 'warehouse', 'supervisor', 'finance', 'ops', 'admin', 'integrator'],
  'order.place': ['owner', 'integrator'],
  'order.cancel': ['owner', 'seller', 'supervisor', 'admin', 'integrator'],
  'order.hold': ['seller', 'supervisor', 'finance', 'admin'],
  'order.ship': ['seller', 'warehouse', 'supervisor', 'admin'],
  'return.read': ['owner', 'seller', 'warehouse', 'supervisor', 'finance', 'ops', 'admin', 'integrator'],
  'return.request': ['owner', 'integrator'],
  'return.review': ['seller', 'supervisor', 'finance', 'admin'],
  'return.receive': ['seller', 'warehouse', 'supervisor', 'admin'],
  'return.continue': ['seller', 'supervisor', 'admin'],
  'return.report': ['seller', 'supervisor', 'finance', 'ops', 'admin'],
  'shop_policy.manage': ['seller', 'admin'],
  'revenue.read': ['finance', 'supervisor', 'admin'],
  'application.write': ['owner', 'integrator'],
  'application.read': [
    'owner',
    'verifier',
    'examiner',
    'approver',
    'head',
    'supervisor',
    'finance',
    'ops',
    'admin',
    'integrator',
  ],
  'review.inbox': ['verifier', 'examiner', 'approver', 'head', 'supervisor'],
  'review.decide': ['verifier', 'examiner', 'approver', 'head', 'supervisor'],
  'review.delegate': ['verifier', 'examiner', 'approver', 'head', 'supervisor'],
  'review.reassign': ['supervisor', 'admin'],
  'review.override': ['supervisor'],
  'review.audit': ['supervisor', 'examiner'],
  'absence.manage': ['verifier', 'examiner', 'approver', 'head', 'supervisor', 'admin'],
  'policy.read': ['head', 'supervisor', 'ops', 'admin'],
  'policy.manage': ['admin'],
  'calendar.manage': ['admin', 'supervisor'],
  'license.read': [
    'owner',
    'verifier',
    'examiner',
    'approver',
    'head',
    'supervisor',
    'finance',
    'ops',
    'admin',
    'integrator',
  ],
  'license.manage': ['supervisor', 'head'],
  'invoice.read': ['owner', 'supervisor', 'finance', 'ops', 'admin', 'integrator'],
  'invoice.pay': ['owner', 'integrator'],
  'invoice.void': ['finance', 'supervisor'],
  'refund.read': ['owner', 'supervisor', 'finance', 'ops', 'admin', 'integrator'],
  'refund.request': ['owner', 'finance', 'supervisor', 'integrator'],
  'refund.approve': ['finance', 'supervisor', 'admin'],
  'refund.transfer': ['finance'],
  'settlement.import': ['finance'],
  'ledger.read': ['finance', 'supervisor', 'ops', 'admin'],
  'reconciliation.resolve': ['finance', 'supervisor'],
  'reconciliation.read': ['finance', 'ops', 'admin', 'supervisor'],
  'system.read': ['ops', 'admin'],
  'user.manage': ['admin'],
  'api_key.manage': ['admin'],
  'audit.read': ['supervisor', 'ops', 'admin'],
  'personal_data.read': ['supervisor', 'admin'],
  'personal_data.rotate': ['admin'],
} as const satisfies Record<string, readonly Role[]>;

export type Permission = keyof typeof PERMISSIONS;

/** What an API key can be given: a part of what its account, an integrator's, may do. */
export const SCOPES = [
  'company.read',
  'onboarding.read',
  'application.read',
  'application.write',
  'license.read',
  'invoice.read',
  'invoice.pay',
  'refund.read',
  'refund.request',
  'subscription.read',
  'product.read',
  'order.read',
  'order.place',
  'order.cancel',
  'return.read',
  'return.request',
] as const satisfies readonly Permission[];
export type Scope = (typeof SCOPES)[number];

export function may(roles: readonly Role[], permission: Permission): boolean {
  const allowed: readonly Role[] = PERMISSIONS[permission];
  return roles.some((role) => allowed.includes(role));
}
