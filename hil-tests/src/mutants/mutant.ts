/** A bug that is put into the gateway on purpose. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Stands in the file once. */
  readonly from: string;
  readonly to: string;
  /** What has to find it. */
  readonly by: 'powerloss' | 'programmes' | 'portables' | 'backups' | 'sites';
}
