/** A place outside this machine that keeps copies of backup sets: `[backup.remotes.NAME]`. */
export interface RemoteStore {
  /** As in tend.toml. */
  name: string;
  /** For people: `s3://bucket/prefix`, `sftp://user@host/path`. Never holds a secret. */
  address: string;
  /** How long to wait before each further try when the remote cannot be reached; as many tries as there are delays. */
  retryDelaysMs: readonly number[];
  /** Whether what is in an unfinished file there can be trusted: only where everything is read back afterwards. */
  verifyUpload: 'read' | 'size';
  signal: AbortSignal;
  /**
   * One connection for a few operations; it is closed when it is disposed of, or when the signal aborts.
   *
   * @param signal where something else than the end of the whole work may end it.
   */
  connect(signal?: AbortSignal): Promise<RemoteConnection>;
}

/** What the kinds of remotes have in common. Their errors are TendErrors, `REMOTE_…`. */
export interface RemoteConnection extends AsyncDisposable {
  /** The files of one set, or of all; without an id also uploads that nobody has finished. */
  list(id?: string): Promise<RemoteFile[]>;
  /** Names of what lies beside the sets and is none; hidden ones are left out. */
  listStrangers(): Promise<string[]>;
  /** The bytes from `offset` to the end. */
  read(place: { id: string; file: string; offset: number }): AsyncIterable<Uint8Array>;
  /**
   * Stores one file under its name, which it only gets when it is whole. Goes on where an upload that was cut off ended.
   *
   * @returns how many bytes had to be sent.
   */
  put(upload: Upload): Promise<number>;
  /** Removes files of a set in this order, then what is left of unfinished uploads and the folder. */
  remove(id: string, files: readonly string[]): Promise<void>;
}

/** A file of a set, as it lies in a remote. */
export interface RemoteFile {
  id: string;
  file: string;
  bytes: number;
  modifiedAt: Date;
  state: 'whole' | 'unfinished';
}

export interface Upload {
  id: string;
  file: string;
  /** Path of the file here. */
  source: string;
  bytes: number;
  sha256: string;
  /** `keep` sends nothing of what seems to be there already; `replace` trusts nothing that is there. */
  existing: 'keep' | 'replace';
  /** Told how many bytes of the file are there. */
  report?: (bytes: number) => void;
}
