import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** What ops filter executions by. Search attributes are never encrypted: codes and IDs only, no personal data. */
export const stageAttribute = defineSearchAttributeKey('AlurStage', SearchAttributeType.KEYWORD);
export const typeAttribute = defineSearchAttributeKey('AlurType', SearchAttributeType.KEYWORD);
export const companyAttribute = defineSearchAttributeKey('AlurCompany', SearchAttributeType.KEYWORD);
export const assigneeAttribute = defineSearchAttributeKey('AlurAssignee', SearchAttributeType.KEYWORD);
export const dueAtAttribute = defineSearchAttributeKey('AlurDueAt', SearchAttributeType.DATETIME);

/** As the server's operator registers them (`temporal operator search-attribute create`, or start-dev's flag). */
export const SEARCH_ATTRIBUTE_DEFINITIONS = [
  { name: stageAttribute.name, type: 'Keyword' },
  { name: typeAttribute.name, type: 'Keyword' },
  { name: companyAttribute.name, type: 'Keyword' },
  { name: assigneeAttribute.name, type: 'Keyword' },
  { name: dueAtAttribute.name, type: 'Datetime' },
] as const;
