/**
 * A recorded trace as a program that makes the same system calls again, for a run on the rig: whatever language the
 * recorded program was in, and wherever it ran, what it did to its root is done to the rig's disk. Each mark of the
 * trace becomes a mark of the rig, in order. Calls that failed are left out; calls that overlapped are made in the
 * order in which they began, or in the one that an append tells.
 *
 * One operation a line, words separated by tabs, bytes in hex. The interpreter is Perl, as the keeper's is.
 */

import { UsageError } from '../../base/errors.ts';
import { appendOrder } from '../record/append-order.ts';
import { type InodeNumber, type Operation, ROOT_INODE, type Trace } from '../record/operation.ts';

/** What makes the disk that the recorded program found, and what it then did. */
export interface TraceReplay {
  readonly setup: string;
  readonly steps: string;
}

/** @throws {UsageError} when the trace has something that cannot be done again by name. */
export function traceReplay(trace: Trace): TraceReplay {
  const names = new NameTable(trace);
  const setup = names.initialLines();
  const steps = appendOrder(trace).sequence.flatMap((index) => {
    const operation = trace.operations[index];
    return operation?.error === undefined && operation !== undefined ? names.lines(operation) : [];
  });
  return { setup: `${setup.join('\n')}\n`, steps: `${steps.join('\n')}\n` };
}

interface Place {
  readonly directory: InodeNumber;
  readonly name: string;
}

class NameTable {
  readonly #trace: Trace;
  readonly #places = new Map<InodeNumber, Place[]>();
  readonly #directories = new Set<InodeNumber>([ROOT_INODE]);
  #marks = 0;

  constructor(trace: Trace) {
    this.#trace = trace;
    for (const node of trace.initial) {
      if (node.node !== 'directory') continue;
      this.#directories.add(node.inode);
      for (const [name, child] of node.entries) this.#add(child, node.inode, name);
    }
  }

  initialLines(): string[] {
    const byInode = new Map(this.#trace.initial.map((node) => [node.inode, node]));
    const lines: string[] = [];
    const visit = (inode: InodeNumber, path: string): void => {
      const node = byInode.get(inode);
      if (node?.node !== 'directory') return;
      for (const [name, child] of node.entries) {
        const place = path === '.' ? name : `${path}/${name}`;
        const made = byInode.get(child);
        if (made?.node === 'directory') lines.push(line('mkdir', place, made.mode & 0o7777));
        else if (made?.node === 'symlink') lines.push(line('symlink', place, hex(made.target)));
        else if (made !== undefined) {
          const first = this.#places.get(child)?.[0];
          const firstPath = first === undefined ? place : this.#path(first);
          if (firstPath !== place) lines.push(line('link', firstPath, place));
          else {
            lines.push(line('create', child, place, made.mode & 0o7777));
            const content = this.#content(made.content);
            if (content !== '') lines.push(line('write', child, place, 0, 'none', content));
          }
        }
        visit(child, place);
      }
    };
    visit(ROOT_INODE, '.');
    return lines;
  }

  lines(operation: Operation): string[] {
    switch (operation.kind) {
      case 'create': {
        const { inode, directory, name, node, mode, target } = operation;
        if (name === null) throw new UsageError('a file without a name cannot be made again');
        if (node === 'directory') this.#directories.add(inode);
        const path = this.#path({ directory, name });
        this.#add(inode, directory, name);
        if (node === 'directory') return [line('mkdir', path, mode & 0o7777)];
        if (node === 'symlink') return [line('symlink', path, hex(target ?? ''))];
        return [line('create', inode, path, mode & 0o7777)];
      }
      case 'link': {
        const from = this.#pathOf(operation.inode);
        this.#add(operation.inode, operation.directory, operation.name);
        return [line('link', from, this.#path(operation))];
      }
      case 'unlink': {
        const path = this.#path(operation);
        this.#remove(operation.inode, operation);
        return [line(this.#directories.has(operation.inode) ? 'rmdir' : 'unlink', path)];
      }
      case 'rename':
        return this.#rename(operation);
      case 'write': {
        const { inode, offset, durable, content } = operation;
        const path = this.#pathOf(inode);
        return [line('write', inode, path, offset, durable, this.#content(content))];
      }
      case 'truncate':
        return [line('truncate', operation.inode, this.#pathOf(operation.inode), operation.size)];
      case 'allocate': {
        const { inode, mode, offset, length } = operation;
        const flags = { extend: 0, 'keep-size': 1, 'punch-hole': 3, 'zero-range': 16 }[mode];
        return [line('allocate', inode, this.#pathOf(inode), flags, offset, length)];
      }
      case 'attribute': {
        const { inode, field, value } = operation;
        const known = field === 'mode' || field === 'owner';
        return known ? [line(field, inode, this.#pathOf(inode), value)] : [];
      }
      case 'sync':
        return [line('sync', operation.inode, this.#pathOf(operation.inode), operation.scope)];
      case 'sync-all':
        return ['sync-all'];
      case 'close':
        return [line('close', operation.inode)];
      case 'mark':
        return [line('mark', this.#marks++)];
      case 'writeback':
      case 'unmodelled':
        return [];
    }
  }

  #rename(operation: Extract<Operation, { kind: 'rename' }>): string[] {
    const { inode, replaced, exchange } = operation;
    const from = { directory: operation.fromDirectory, name: operation.fromName };
    const to = { directory: operation.toDirectory, name: operation.toName };
    const call = exchange === true ? 'exchange' : 'rename';
    const made = line(call, this.#path(from), this.#path(to));
    this.#remove(inode, from);
    if (replaced !== null) this.#remove(replaced, to);
    this.#add(inode, to.directory, to.name);
    if (exchange === true && replaced !== null) this.#add(replaced, from.directory, from.name);
    return [made];
  }

  #add(inode: InodeNumber, directory: InodeNumber, name: string): void {
    const places = this.#places.get(inode) ?? [];
    this.#places.set(inode, [...places, { directory, name }]);
  }

  #remove(inode: InodeNumber, { directory, name }: Place): void {
    const places = this.#places.get(inode) ?? [];
    const left = places.filter((place) => place.directory !== directory || place.name !== name);
    this.#places.set(inode, left);
  }

  /** One of its names now; empty for a file that has none: it is still open, or nobody can look at it. */
  #pathOf(inode: InodeNumber): string {
    const place = this.#places.get(inode)?.[0];
    if (inode === ROOT_INODE) return '.';
    return place === undefined ? '' : this.#path(place);
  }

  #path({ directory, name }: Place): string {
    const above = this.#pathOf(directory);
    const path = above === '.' ? name : `${above}/${name}`;
    if (/[\t\n]/.test(path)) throw new UsageError('a name with a tab or line end: not made again');
    return path;
  }

  #content(id: string): string {
    return Buffer.from(this.#trace.contents.get(id) ?? new Uint8Array(0)).toString('hex');
  }
}

function line(...words: readonly (string | number)[]): string {
  return words.join('\t');
}

function hex(text: string): string {
  return Buffer.from(text).toString('hex');
}

/** The interpreter, for `perl -e`; its argument is the file of lines. */
export const replayScript: string = String.raw`
use strict; use warnings; use Fcntl; umask 0;
my $machine = qx(uname -m); chomp $machine;
my %number = $machine eq 'x86_64'
  ? (rename => 316, allocate => 285, all => 74, data => 75, syncfs => 306)
  : (rename => 276, allocate => 47, all => 82, data => 83, syncfs => 267);
my $marks = $ENV{HOLDFAST_MARKS}; my $requests; my $count = 0; my %open;
if (defined $marks) { open($requests, '>', "$marks/requests") or die "marks: $!"; }
sub ok { my ($result, $what) = @_; die "$what: $!\n" unless $result; }
sub opened { my ($inode, $path) = @_;
  return $open{$inode} if $open{$inode};
  sysopen(my $file, $path, O_RDWR) or die "open $path: $!\n";
  return $open{$inode} = $file; }
sub sync_file { my ($file, $scope) = @_; ok(syscall($number{$scope}, fileno $file) == 0, 'sync'); }
my %step = (
  create => sub { my ($inode, $path, $mode) = @_;
    sysopen(my $file, $path, O_RDWR | O_CREAT | O_EXCL, $mode) or die "create $path: $!\n";
    $open{$inode} = $file; },
  mkdir => sub { ok(mkdir($_[0], $_[1]), 'mkdir'); },
  symlink => sub { ok(symlink(pack('H*', $_[1]), $_[0]), 'symlink'); },
  link => sub { ok(link($_[0], $_[1]), 'link'); },
  unlink => sub { ok(unlink($_[0]), 'unlink'); }, rmdir => sub { ok(rmdir($_[0]), 'rmdir'); },
  rename => sub { ok(rename($_[0], $_[1]), 'rename'); },
  exchange => sub { my ($from, $to) = @_; my ($here, $flags) = (-100, 2);
    ok(syscall($number{rename}, $here, $from, $here, $to, $flags) == 0, 'exchange'); },
  write => sub { my ($inode, $path, $offset, $durable, $bytes) = @_;
    my $file = opened($inode, $path); my $data = pack('H*', $bytes); my $done = 0;
    sysseek($file, $offset, 0);
    while ($done < length $data) {
      my $count = syswrite($file, $data, length($data) - $done, $done);
      ok(defined $count, 'write'); $done += $count;
    }
    sync_file($file, $durable) if $durable ne 'none'; },
  truncate => sub { ok(truncate(opened($_[0], $_[1]), $_[2]), 'truncate'); },
  allocate => sub { my ($inode, $path, $flags, $offset, $length) = ($_[0], $_[1], map { $_ + 0 } @_[2 .. 4]);
    ok(syscall($number{allocate}, fileno opened($inode, $path), $flags, $offset, $length) == 0, 'fallocate'); },
  mode => sub { ok(chmod(oct($_[2]), $_[1]), 'chmod'); },
  owner => sub { my ($uid, $gid) = split /:/, $_[2]; ok(chown($uid, $gid, $_[1]), 'chown'); },
  sync => sub { my ($inode, $path, $scope) = @_;
    if (!$open{$inode} && -d $path) {
      sysopen(my $directory, $path, O_RDONLY) or die "open $path: $!\n"; sync_file($directory, $scope);
    } else { sync_file(opened($inode, $path), $scope); } },
  'sync-all' => sub { sysopen(my $here, '.', O_RDONLY) or die "open: $!\n";
    ok(syscall($number{syncfs}, fileno $here) == 0, 'syncfs'); },
  close => sub { my $file = delete $open{$_[0]}; close $file if $file; },
  mark => sub { my $id = "$$-0-$count"; $count += 1;
    syswrite($requests, "[\"$id\",\"$_[0]\"]\n");
    select(undef, undef, undef, 0.0005) until -e "$marks/$id"; },
);
open(my $lines, '<', $ARGV[0]) or die "$ARGV[0]: $!\n";
while (my $line = <$lines>) {
  chomp $line; next if $line eq '';
  my ($name, @words) = split /\t/, $line, -1;
  $step{$name}->(@words);
}
`;
