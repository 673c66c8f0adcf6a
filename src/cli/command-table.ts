/**
 * Which commands there are. A command is loaded when it is called or when the list of commands is shown; a line
 * here is all it takes to add one.
 */

import type { CommandTable } from './command.ts';

/** Every command of `holdfast`, in the order of the help. */
export const commandTable: CommandTable = {
  record: async () => (await import('./commands/record.ts')).recordCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  check: async () => (await import('./commands/check.ts')).checkCommand,
  explore: async () => (await import('./commands/explore.ts')).exploreCommand,
  audit: async () => (await import('./commands/audit.ts')).auditCommand,
  replay: async () => (await import('./commands/replay.ts')).replayCommand,
  models: async () => (await import('./commands/models.ts')).modelsCommand,
  verify: async () => (await import('./commands/verify.ts')).verifyCommand,
  dump: async () => (await import('./commands/dump.ts')).dumpCommand,
  stats: async () => (await import('./commands/stats.ts')).statsCommand,
  compact: async () => (await import('./commands/compact.ts')).compactCommand,
  backup: async () => (await import('./commands/backup.ts')).backupCommand,
  restore: async () => (await import('./commands/restore.ts')).restoreCommand,
  repair: async () => (await import('./commands/store-repair.ts')).repairCommand,
  powercut: async () => (await import('./commands/powercut.ts')).powercutCommand,
};
