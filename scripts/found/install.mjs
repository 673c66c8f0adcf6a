/** Puts the program of a case where it can be run: build/found/NAME, and Debian packages into the system. */

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

import { top } from './cases.mjs';

export const placeOf = (one) => join(top, 'build/found', one.id);

/** @returns the version of each package that is there now. */
export function install(one) {
  const place = placeOf(one);
  rmSync(join(place, 'state'), { recursive: true, force: true });
  mkdirSync(join(place, 'state'), { recursive: true });
  for (const name of one.files) copyFileSync(join(one.path, name), join(place, name));
  return { ...npmPackages(one.npm ?? {}, place), ...debianPackages(one.debian ?? {}) };
}

function npmPackages(wanted, place) {
  const installed = (name) => {
    const file = join(place, 'node_modules', name, 'package.json');
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : null;
  };
  const missing = Object.entries(wanted).filter(([name, version]) => installed(name) !== version);
  if (missing.length > 0) {
    // A package of its own, so that nothing of the repository's is taken for it.
    writeFileSync(join(place, 'package.json'), '{ "private": true }\n');
    const packages = missing.map(([name, version]) => `${name}@${version}`);
    const options = ['--no-audit', '--no-fund', '--save-exact', '--loglevel=error'];
    execFileSync('npm', ['install', '--prefix', place, ...options, ...packages], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  return Object.fromEntries(Object.keys(wanted).map((name) => [name, installed(name)]));
}

function debianPackages(wanted) {
  const installed = (name) => {
    const found = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Abbrev}${Version}', name]);
    const said = found.status === 0 ? String(found.stdout) : '';
    return said.startsWith('ii') ? said.slice(2).trim() : null;
  };
  const missing = Object.entries(wanted).filter(([name]) => installed(name) === null);
  if (missing.length > 0) {
    const packages = missing.map(([name, version]) => `${name}=${version}`);
    const options = ['install', '-y', '-qq', '--no-install-recommends'];
    execFileSync('apt-get', [...options, ...packages], {
      stdio: ['ignore', 'ignore', 'inherit'],
      // The run level keeps packages of daemons from starting them.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    });
  }
  return Object.fromEntries(Object.keys(wanted).map((name) => [name, installed(name)]));
}
