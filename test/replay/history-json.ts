/**
 * Histories to and from the JSON that the Temporal CLI and UI speak. The SDK has both functions, but they refuse to work
 * where npm has put a protobufjs of its own below each Temporal package, as it does here: "type must be a Type". So the
 * copy that @temporalio/proto itself was built on does the same work.
 */
import { createRequire } from 'node:module';
import type { HistoryAndWorkflowId } from '@temporalio/client';

type History = HistoryAndWorkflowId['history'] & object;

interface ProtoJson {
  toJson(type: unknown, message: unknown): unknown;
  fromJson(type: unknown, json: unknown, options: { ignoreUnknownFields: boolean }): History;
}

interface HistoryType {
  fromObject(history: History): unknown;
}

const own = createRequire(import.meta.url);
const ofCommon = createRequire(own.resolve('@temporalio/common'));
const ofProto = createRequire(ofCommon.resolve('@temporalio/proto'));
const { toJson, fromJson }: ProtoJson = ofProto('protobufjs/ext/protojson');
const { patchProtobufRoot } = ofCommon('@temporalio/proto/lib/patch-protobuf-root');
const historyType: HistoryType = patchProtobufRoot(ofCommon('@temporalio/proto')).lookupType(
  'temporal.api.history.v1.History',
);

export const historyToJson = (history: History): unknown => toJson(historyType, historyType.fromObject(history));

export const historyFromJson = (json: unknown): History => fromJson(historyType, json, { ignoreUnknownFields: true });
