import { createFileStore, type FileStore } from './files.ts';
import type { S3Settings } from './s3-files.ts';

/** Where files are kept: a directory that API and worker share, or a bucket. */
export type FileSettings = { readonly directory: string } | S3Settings;

/** Nothing is asked yet. The SDK is loaded where it is used only: it costs a start a quarter of a second. */
export async function openFileStore(settings: FileSettings): Promise<FileStore> {
  if ('directory' in settings) return createFileStore(settings.directory);
  const { createS3FileStore } = await import('./s3-files.ts');
  return createS3FileStore(settings);
}
