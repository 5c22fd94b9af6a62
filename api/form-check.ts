/** Whether an application can be submitted: its form by the JSON Schema of its rules, its documents by the checklist. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { LRUCache } from 'lru-cache';
import type { Form } from '../db/applications.ts';
import type { LicenseType } from '../db/license-types.ts';
import { Failure, type FieldProblem } from '../domain/failures.ts';
import { missingDocuments } from '../domain/licensing.ts';
import { pointerTo } from './field-problems.ts';
import type { Locale } from './request.ts';

const ajv = new Ajv2020({ allErrors: true, strict: false });
addFormats.default(ajv);

/** By policy: a policy's schema never changes, and compiling one takes milliseconds. */
const compiled = new LRUCache<string, ValidateFunction>({ max: 200 });

/**
 * @param kinds of the documents that are attached
 * @throws Failure `incomplete_application` that points at everything that is missing or wrong
 */
export function requireComplete(type: LicenseType, form: Form, kinds: ReadonlySet<string>, locale: Locale): void {
  const errors = [...formProblems(type, form, locale), ...documentProblems(type, kinds, locale)];
  if (errors.length > 0) throw new Failure('incomplete_application', '', { errors });
}

function formProblems(type: LicenseType, form: Form, locale: Locale): FieldProblem[] {
  const validate = validatorOf(type);
  if (validate(form)) return [];
  const problems = (validate.errors ?? [])
    .filter(({ keyword }) => !COMPOUND.has(keyword))
    .map((error) => toProblem(error, locale));
  return problems.length > 0
    ? problems
    : [{ pointer: '/form', code: 'invalid', detail: DETAILS['invalid']?.[locale] ?? 'invalid' }];
}

function validatorOf(type: LicenseType): ValidateFunction {
  const known = compiled.get(type.policyId);
  if (known) return known;
  // Its $id would make a second compilation fail; nothing refers to it.
  const { $id: _, $schema: __, ...schema } = type.formSchema;
  const validate = ajv.compile(schema);
  compiled.set(type.policyId, validate);
  return validate;
}

/** Whether a form can be described so, and the example is one: for whoever publishes a schema. Pointers begin at the body. */
export function schemaProblems(schema: Form, example: Form, locale: Locale): FieldProblem[] {
  // Of its own: a schema that is only tried must not stay among those that are used.
  const trial = addFormats.default(new Ajv2020({ allErrors: true, strict: false }));
  try {
    const validate = trial.compile(schema);
    if (validate(example)) return [];
    return (validate.errors ?? []).slice(0, 100).map((error) => {
      const problem = toProblem(error, locale);
      return { ...problem, pointer: problem.pointer.replace(/^\/form/, '/exampleForm') };
    });
  } catch (error) {
    // What ajv throws names the keyword that it cannot use; there is nothing of ours in it.
    const detail = error instanceof Error ? error.message.slice(0, 300) : '';
    return [{ pointer: '/formSchema', code: 'not_a_schema', detail }];
  }
}

const documentProblems = (type: LicenseType, kinds: ReadonlySet<string>, locale: Locale): FieldProblem[] =>
  missingDocuments(type.policy.checklist, kinds).map((kind) => ({
    pointer: pointerTo(['documents', kind]),
    code: 'required',
    detail: { id: 'dokumen ini wajib diunggah', en: 'this document is required' }[locale],
  }));

/** They only say that some inner rule failed, and the inner rule is in the list as well. */
const COMPOUND = new Set(['if', 'anyOf', 'oneOf', 'allOf']);

type Sentence = Readonly<Record<Locale, string>>;

const DETAILS: Readonly<Record<string, Sentence>> = {
  required: { id: 'wajib diisi', en: 'required' },
  unknown_field: { id: 'isian tidak dikenal', en: 'there is no such field' },
  wrong_type: { id: 'jenis isiannya salah', en: 'of the wrong type' },
  not_allowed: { id: 'bukan salah satu pilihan yang ada', en: 'not one of the choices' },
  wrong_format: { id: 'bentuknya salah', en: 'not in the right form' },
  too_small: { id: 'terlalu kecil atau terlalu pendek', en: 'too small or too short' },
  too_big: { id: 'terlalu besar atau terlalu panjang', en: 'too large or too long' },
  duplicate: { id: 'ada isian yang sama dua kali', en: 'the same value is there twice' },
  invalid: { id: 'isiannya tidak sah', en: 'not valid' },
};

const CODES: Readonly<Record<string, string>> = {
  required: 'required',
  dependentRequired: 'required',
  additionalProperties: 'unknown_field',
  unevaluatedProperties: 'unknown_field',
  type: 'wrong_type',
  enum: 'not_allowed',
  const: 'not_allowed',
  format: 'wrong_format',
  pattern: 'wrong_format',
  minimum: 'too_small',
  exclusiveMinimum: 'too_small',
  minLength: 'too_small',
  minItems: 'too_small',
  maximum: 'too_big',
  exclusiveMaximum: 'too_big',
  maxLength: 'too_big',
  maxItems: 'too_big',
  uniqueItems: 'duplicate',
};

function toProblem({ instancePath, keyword, params }: ErrorObject, locale: Locale): FieldProblem {
  const code = CODES[keyword] ?? 'invalid';
  const field: unknown = params['missingProperty'] ?? params['additionalProperty'] ?? params['unevaluatedProperty'];
  const pointer = `/form${instancePath}${typeof field === 'string' ? pointerTo([field]) : ''}`;
  const limit: unknown = params['limit'];
  const sentence = DETAILS[code]?.[locale] ?? code;
  return { pointer, code, detail: typeof limit === 'number' ? `${sentence} (${limit})` : sentence };
}
