/**
 * The stories by which engines are judged, on the smallest durable engine: they pass where it keeps its promises, and
 * find what is missing where it does not.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertCrashSafe } from '../../src/lab/suite/assert-crash-safe.ts';
import { engineCrashTest } from '../support/engine-story.ts';
import { ENGINE_STORIES } from '../support/engine-stories.ts';
import { loggedKind } from '../support/logged-engine.ts';

test('a log that is replayed keeps a story', async () => {
  const crash = engineCrashTest({ kind: loggedKind() }, ENGINE_STORIES['reopened']!, {
    models: ['posix'],
    budget: 60,
  });
  await assertCrashSafe(crash);
});

test('a commit that is not synced as promised is found', async () => {
  const subject = { kind: loggedKind(() => 'none') };
  const crash = engineCrashTest(subject, ENGINE_STORIES['policies']!, {
    models: ['ext4'],
    budget: 60,
    nested: 0,
  });
  await assert.rejects(assertCrashSafe(crash), /missing fdatasync of the file store/);
});
