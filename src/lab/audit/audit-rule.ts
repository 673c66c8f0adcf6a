/** The rules of the audit by name, each in one line. What they look at is in the modules of their names. */

export type AuditSeverity = 'error' | 'warning' | 'note';

export type AuditRuleName =
  | 'acknowledged-before-durable'
  | 'failure-ignored'
  | 'files-not-ordered'
  | 'fsync-could-be-fdatasync'
  | 'name-not-durable'
  | 'overwrite-in-place'
  | 'redundant-sync'
  | 'removed-before-replacement'
  | 'rename-before-sync';

export interface AuditRule {
  readonly name: AuditRuleName;
  /** What is wrong, as a clause. */
  readonly summary: string;
  /** Unless the case is a lighter one. */
  readonly severity: AuditSeverity;
}

/** In the order of their names. Each has a page in `docs/audit/`. */
export const AUDIT_RULES: readonly AuditRule[] = [
  {
    name: 'acknowledged-before-durable',
    summary: 'something is told to the outside world before it is durable',
    severity: 'error',
  },
  {
    name: 'failure-ignored',
    summary: 'a short write or a failed sync is passed over',
    severity: 'error',
  },
  {
    name: 'files-not-ordered',
    summary: 'a file may reach the disk before another that was written earlier',
    severity: 'warning',
  },
  {
    name: 'fsync-could-be-fdatasync',
    summary: 'an fsync where only bytes in place had changed',
    severity: 'note',
  },
  {
    name: 'name-not-durable',
    summary: 'a name is never made durable',
    severity: 'warning',
  },
  {
    name: 'overwrite-in-place',
    summary: 'bytes that are live are overwritten in place, and no log holds them',
    severity: 'error',
  },
  {
    name: 'redundant-sync',
    summary: 'a sync of what was synced already and did not change since',
    severity: 'note',
  },
  {
    name: 'removed-before-replacement',
    summary: 'a file is removed or cut before what replaces it is durable',
    severity: 'error',
  },
  {
    name: 'rename-before-sync',
    summary: 'a file gets its name before its bytes are durable',
    severity: 'error',
  },
];

export function isAuditRuleName(text: string): text is AuditRuleName {
  return AUDIT_RULES.some(({ name }) => name === text);
}
