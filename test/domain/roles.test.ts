import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  inOrder,
  isStaff,
  may,
  PERMISSIONS,
  type Permission,
  ROLES,
  type Role,
  rolesFit,
  SCOPES,
  seesEveryCase,
} from '../../domain/roles.ts';

/** Who may do what, written out once more: a change of rights has to be made twice, on purpose. */
const RIGHTS = `
                       owner verifier examiner approver head supervisor finance seller warehouse ops admin integrator
profile.use            x     x        x        x        x    x          x       x      x         x   x     x
company.read           x     .        .        .        .    .          .       .      .         .   .     x
company.manage         x     .        .        .        .    .          .       .      .         .   .     .
onboarding.use         x     .        .        .        .    .          .       .      .         .   .     .
onboarding.read        x     x        .        .        .    x          .       .      .         x   x     x
onboarding.review      .     x        .        .        .    x          .       .      .         .   .     .
plan.read              x     x        x        x        x    x          x       x      x         x   x     x
plan.manage            .     .        .        .        .    .          .       .      .         .   x     .
subscription.read      x     .        .        .        .    x          x       .      .         x   x     x
subscription.manage    x     .        .        .        .    .          .       .      .         .   .     .
subscription.extend    .     .        .        .        .    x          x       .      .         .   x     .
product.read           x     x        x        x        x    x          x       x      x         x   x     x
product.manage         .     .        .        .        .    .          .       x      .         .   x     .
stock.read             .     .        .        .        .    x          .       x      x         x   x     .
stock.manage           .     .        .        .        .    x          .       x      x         .   x     .
order.read             x     .        .        .        .    x          x       x      x         x   x     x
order.place            x     .        .        .        .    .          .       .      .         .   .     x
order.cancel           x     .        .        .        .    x          .       x      .         .   x     x
order.hold             .     .        .        .        .    x          x       x      .         .   x     .
order.ship             .     .        .        .        .    x          .       x      x         .   x     .
return.read            x     .        .        .        .    x          x       x      x         x   x     x
return.request         x     .        .        .        .    .          .       .      .         .   .     x
return.review          .     .        .        .        .    x          x       x      .         .   x     .
return.receive         .     .        .        .        .    x          .       x      x         .   x     .
return.continue        .     .        .        .        .    x          .       x      .         .   x     .
return.report          .     .        .        .        .    x          x       x      .         x   x     .
shop_policy.manage     .     .        .        .        .    .          .       x      .         .   x     .
revenue.read           .     .        .        .        .    x          x       .      .         .   x     .
application.write      x     .        .        .        .    .          .       .      .         .   .     x
application.read       x     x        x        x        x    x          x       .      .         x   x     x
review.inbox           .     x        x        x        x    x          .       .      .         .   .     .
review.decide          .     x        x        x        x    x          .       .      .         .   .     .
review.delegate        .     x        x        x        x    x          .       .      .         .   .     .
review.reassign        .     .        .        .        .    x          .       .      .         .   x     .
review.override        .     .        .        .        .    x          .       .      .         .   .     .
review.audit           .     .        x        .        .    x          .       .      .         .   .     .
absence.manage         .     x        x        x        x    x          .       .      .         .   x     .
policy.read            .     .        .        .        x    x          .       .      .         x   x     .
policy.manage          .     .        .        .        .    .          .       .      .         .   x     .
calendar.manage        .     .        .        .        .    x          .       .      .         .   x     .
license.read           x     x        x        x        x    x          x       .      .         x   x     x
license.manage         .     .        .        .        x    x          .       .      .         .   .     .
invoice.read           x     .        .        .        .    x          x       .      .         x   x     x
invoice.pay            x     .        .        .        .    .          .       .      .         .   .     x
invoice.void           .     .        .        .        .    x          x       .      .         .   .     .
refund.read            x     .        .        .        .    x          x       .      .         x   x     x
refund.request         x     .        .        .        .    x          x       .      .         .   .     x
refund.approve         .     .        .        .        .    x          x       .      .         .   x     .
refund.transfer        .     .        .        .        .    .          x       .      .         .   .     .
settlement.import      .     .        .        .        .    .          x       .      .         .   .     .
ledger.read            .     .        .        .        .    x          x       .      .         x   x     .
reconciliation.resolve .     .        .        .        .    x          x       .      .         .   .     .
reconciliation.read    .     .        .        .        .    x          x       .      .         x   x     .
system.read            .     .        .        .        .    .          .       .      .         x   x     .
user.manage            .     .        .        .        .    .          .       .      .         .   x     .
api_key.manage         .     .        .        .        .    .          .       .      .         .   x     .
audit.read             .     .        .        .        .    x          .       .      .         x   x     .
personal_data.read     .     .        .        .        .    x          .       .      .         .   x     .
personal_data.rotate   .     .        .        .        .    .          .       .      .         .   x     .
`;

const [head = [], ...rows] = RIGHTS.trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/));
const written = new Map(rows.map(([permission = '', ...marks]) => [permission, marks]));
const isPermission = (name: string): name is Permission => Object.hasOwn(PERMISSIONS, name);
const permissions = Object.keys(PERMISSIONS).filter(isPermission);

describe('the table of rights', () => {
  it('is written out for every role and every permission', () => {
    assert.deepEqual(head, [...ROLES]);
    assert.deepEqual([...written.keys()].sort(), permissions.toSorted());
  });

  for (const permission of permissions) {
    it(`allows ${permission} to exactly those who are meant`, () => {
      const allowed = ROLES.map((role) => (may([role], permission) ? 'x' : '.'));
      assert.deepEqual(allowed, written.get(permission));
    });
  }

  it('allows an integrator nothing that a key cannot be given', () => {
    const given = permissions.filter((permission) => may(['integrator'], permission));
    // Everybody has these by being known.
    const scopes: readonly Permission[] = ['profile.use', 'plan.read', ...SCOPES];
    assert.deepEqual(given.toSorted(), scopes.toSorted());
  });

  it('allows nothing to whoever has no role', () => {
    assert.deepEqual(
      permissions.filter((permission) => may([], permission)),
      [],
    );
  });

  it('gives a person of several roles the rights of each, and no others', () => {
    const roles = fc.uniqueArray(fc.constantFrom<Role>(...ROLES));
    const property = fc.property(roles, fc.constantFrom(...permissions), (held, permission) => {
      assert.equal(
        may(held, permission),
        held.some((role) => may([role], permission)),
      );
    });
    fc.assert(property);
  });

  it('keeps the two sides of the counter apart: who applies or pays never decides', () => {
    for (const role of ROLES)
      assert.ok(
        !(may([role], 'review.decide') && (may([role], 'application.write') || may([role], 'invoice.pay'))),
        role,
      );
  });
});

describe('roles', () => {
  it('of the office are staff; owners and integrators are not', () => {
    assert.deepEqual(
      ROLES.filter((role) => !isStaff([role])),
      ['owner', 'integrator'],
    );
    assert.equal(isStaff(['owner', 'approver']), true);
    assert.equal(isStaff([]), false);
  });

  it('fit one account when all are of the office, or when there is one', () => {
    const roles = fc.uniqueArray(fc.constantFrom<Role>(...ROLES));
    const property = fc.property(roles, (held) => {
      const sides = new Set(held.map((role) => (isStaff([role]) ? 'office' : role)));
      assert.equal(rolesFit(held), sides.size === 1, held.join());
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('that fit never both apply and decide', () => {
    const roles = fc.uniqueArray(fc.constantFrom<Role>(...ROLES)).filter(rolesFit);
    const property = fc.property(roles, (held) => {
      assert.ok(!(may(held, 'application.write') && may(held, 'review.decide')), held.join());
      assert.ok(!(may(held, 'company.manage') && may(held, 'user.manage')), held.join());
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('are the same list in whichever order and how often they are named', () => {
    assert.deepEqual(inOrder(['admin', 'verifier', 'admin']), ['verifier', 'admin']);
    assert.deepEqual(inOrder([]), []);
  });

  it('of oversight see every case; a reviewer sees their own', () => {
    assert.deepEqual(
      ROLES.filter((role) => seesEveryCase([role])),
      ['head', 'supervisor', 'finance', 'ops', 'admin'],
    );
    assert.equal(seesEveryCase(['owner', 'verifier']), false);
  });
});
