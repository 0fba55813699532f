/**
 * The files of the in-memory FTP server: directories and contents in plain objects, under one cap of bytes.
 *
 * Paths and names are byte strings (each character is one byte, 0-255), because FTP says nothing of their
 * encoding: UTF-8 and GBK names come back as they were sent.
 */

interface FileNode {
  readonly kind: 'file';
  /** Stays the same through renames: RFC 3659's `unique` fact. */
  readonly id: number;
  modified: Date;
  /** Replaced, never written into, so that a download under way keeps the version that it began with. */
  content: Buffer;
}

export interface DirectoryNode {
  readonly kind: 'directory';
  readonly id: number;
  modified: Date;
  readonly children: Map<string, TreeNode>;
}

export type TreeNode = FileNode | DirectoryNode;

const defaultMaxBytes = 256 * 1024 * 1024;
/** Names cost memory that no byte of content accounts for, so their number has a cap of its own. */
const maxEntries = 100_000;

/** `text` (UTF-16, as written in a program) as the byte string of its UTF-8 form. */
export function toByteString(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/**
 * The tree of `files`: path -> content; directories are created as needed, and a path that ends in `/` is an empty
 * directory.
 *
 * @param maxBytes of all contents together, uploads under way included
 * @throws where the files make no tree
 */
export function plantFiles(
  files: Readonly<Record<string, string | Buffer>>,
  maxBytes: number = defaultMaxBytes,
): FileTree {
  const tree = new FileTree(maxBytes);
  for (const [path, content] of Object.entries(files)) tree.plant(toByteString(path), Buffer.from(content));
  return tree;
}

/** The absolute path, without `.`, `..` and empty parts, that `path` means when given in directory `cwd`. */
export function resolvePath(cwd: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${cwd}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** `/a/b` -> `['/a', 'b']`, `/a` -> `['/', 'a']`; `path` is absolute and resolved. */
function splitPath(path: string): [parent: string, name: string] {
  const slash = path.lastIndexOf('/');
  return [slash === 0 ? '/' : path.slice(0, slash), path.slice(slash + 1)];
}

/**
 * All paths are absolute and resolved. What changes the tree returns `undefined` when it was done, and the
 * reason, fit for a 550 reply, when it could not be.
 */
export class FileTree {
  readonly #maxBytes: number;
  readonly #root: DirectoryNode;
  #usedBytes = 0;
  #entries = 0;
  #lastId = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#root = { kind: 'directory', id: 0, modified: new Date(), children: new Map() };
  }

  /** How many bytes of content still fit. */
  get freeBytes(): number {
    return this.#maxBytes - this.#usedBytes;
  }

  /** Sets up one file and the directories above it; a path that ends in `/` is an empty directory. Throws. */
  plant(path: string, content: Buffer): void {
    const target = resolvePath('/', path);
    let directory = '';
    for (const name of (path.endsWith('/') ? target : splitPath(target)[0]).split('/').filter(Boolean)) {
      directory += `/${name}`;
      const refusal = this.find(directory)?.kind === 'directory' ? undefined : this.makeDirectory(directory);
      if (refusal !== undefined) throw new Error(`${directory}: ${refusal}`);
    }
    if (path.endsWith('/')) return;
    const upload = this.beginUpload(target, { kind: 'replace', keep: 0 });
    const refusal = upload.add(content) ? upload.commit() : 'Does not fit in maxBytes';
    if (refusal !== undefined) throw new Error(`${target}: ${refusal}`);
  }

  find(path: string): TreeNode | undefined {
    let node: TreeNode | undefined = this.#root;
    for (const name of path.split('/').filter(Boolean)) {
      node = node.kind === 'directory' ? node.children.get(name) : undefined;
      if (node === undefined) return undefined;
    }
    return node;
  }

  /** Why no file can be written at `path`, or `undefined`. */
  refuseFile(path: string): string | undefined {
    const existing = this.find(path);
    if (existing?.kind === 'directory') return 'Is a directory';
    if (existing === undefined && this.#entries >= maxEntries) return 'Too many files';
    return this.find(splitPath(path)[0])?.kind === 'directory' ? undefined : 'No such directory';
  }

  makeDirectory(path: string): string | undefined {
    if (this.find(path) !== undefined) return 'Already exists';
    const refusal = this.refuseFile(path);
    if (refusal === undefined) {
      this.#attach(path, {
        kind: 'directory',
        id: ++this.#lastId,
        modified: new Date(),
        children: new Map(),
      });
    }
    return refusal;
  }

  removeDirectory(path: string): string | undefined {
    const node = this.find(path);
    if (node === undefined) return 'No such directory';
    if (node.kind === 'file') return 'Not a directory';
    if (path === '/') return 'Cannot remove the root directory';
    if (node.children.size > 0) return 'Directory not empty';
    this.#detach(path);
    return undefined;
  }

  removeFile(path: string): string | undefined {
    const node = this.find(path);
    if (node === undefined) return 'No such file';
    if (node.kind === 'directory') return 'Is a directory';
    this.#usedBytes -= node.content.length;
    this.#detach(path);
    return undefined;
  }

  /** Renames as POSIX does: a file takes the place of another file; a directory, of nothing. */
  rename(from: string, to: string): string | undefined {
    const node = this.find(from);
    const target = this.find(to);
    if (node === undefined) return 'No such file or directory';
    if (node === target) return undefined;
    if (from === '/' || to.startsWith(`${from}/`)) return 'Cannot move a directory into itself';
    if (this.find(splitPath(to)[0])?.kind !== 'directory') return 'No such directory';
    if (target !== undefined) {
      const refusal = node.kind === 'directory' ? 'Already exists' : this.removeFile(to);
      if (refusal !== undefined) return refusal;
    }
    this.#detach(from);
    this.#attach(to, node);
    return undefined;
  }

  /**
   * Begins an upload. It becomes a file only when it is committed, because in FTP's stream mode only the end of the
   * data connection marks a file as complete; until then its bytes count against the cap.
   */
  beginUpload(path: string, mode: UploadMode): Upload {
    const chunks: Buffer[] = [];
    let received = 0;
    return {
      add: (chunk) => {
        if (chunk.length > this.freeBytes) return false;
        chunks.push(chunk);
        received += chunk.length;
        this.#usedBytes += chunk.length;
        return true;
      },
      discard: () => {
        this.#usedBytes -= received;
        received = 0;
        chunks.length = 0;
      },
      commit: () => {
        const refusal = this.refuseFile(path);
        if (refusal === undefined) this.#write(path, mode, chunks, received);
        else this.#usedBytes -= received;
        return refusal;
      },
    };
  }

  #write(path: string, mode: UploadMode, chunks: readonly Buffer[], received: number): void {
    const existing = this.find(path);
    const old = existing?.kind === 'file' ? existing.content : Buffer.alloc(0);
    const kept = mode.kind === 'append' ? old : old.subarray(0, mode.keep);
    const content = Buffer.concat([kept, ...chunks]);
    this.#usedBytes += content.length - old.length - received;
    if (existing?.kind === 'file') Object.assign(existing, { content, modified: new Date() });
    else this.#attach(path, { kind: 'file', id: ++this.#lastId, modified: new Date(), content });
  }

  #attach(path: string, node: TreeNode): void {
    const [parent, name] = this.#parentOf(path);
    parent.children.set(name, node);
    parent.modified = new Date();
    this.#entries++;
  }

  #detach(path: string): void {
    const [parent, name] = this.#parentOf(path);
    parent.children.delete(name);
    parent.modified = new Date();
    this.#entries--;
  }

  #parentOf(path: string): [DirectoryNode, string] {
    const [parentPath, name] = splitPath(path);
    const parent = this.find(parentPath);
    if (parent?.kind !== 'directory') throw new Error(`${parentPath} is not a directory`);
    return [parent, name];
  }
}

/** `replace` keeps the first `keep` bytes of an existing file (REST), `append` all of it (APPE). */
export type UploadMode = { readonly kind: 'replace'; readonly keep: number } | { readonly kind: 'append' };

/** One upload under way; ended by exactly one `commit` or `discard`. */
export interface Upload {
  /** False when the chunk does not fit under the cap; then it is not kept. */
  add(chunk: Buffer): boolean;
  /** Makes it a file; a reason when that cannot be, because the tree changed meanwhile. */
  commit(): string | undefined;
  discard(): void;
}
