import * as feel from 'feelin';
import { createRuleEvaluator } from '../db/rule-evaluator.ts';

/** Judges a rule of an office's in FEEL; see db/rule-evaluator.ts. */
export const evaluateRule = createRuleEvaluator(feel);
