// `fs.Stats` and `fs.Dirent`, from what wasi:filesystem tells about a file.

const milliseconds = (time) => (time ? time.seconds * 1000 + time.nanoseconds / 1e6 : 0);

class Kind {
  #type;

  constructor(type) {
    this.#type = type;
  }

  isFile() {
    return this.#type === "regular-file";
  }

  isDirectory() {
    return this.#type === "directory";
  }

  isSymbolicLink() {
    return this.#type === "symbolic-link";
  }

  isFIFO() {
    return this.#type === "fifo";
  }

  isSocket() {
    return this.#type === "socket";
  }

  isBlockDevice() {
    return this.#type === "block-device";
  }

  isCharacterDevice() {
    return this.#type === "character-device";
  }
}

export class Stats extends Kind {
  constructor(stat) {
    super(stat.type);
    this.size = stat.size;
    this.nlink = stat.linkCount;
    this.mode = stat.type === "directory" ? 0o40755 : 0o100644;
    this.atimeMs = milliseconds(stat.dataAccessTimestamp);
    this.mtimeMs = milliseconds(stat.dataModificationTimestamp);
    this.ctimeMs = milliseconds(stat.statusChangeTimestamp);
    this.birthtimeMs = this.ctimeMs;
  }

  get mtime() {
    return new Date(this.mtimeMs);
  }

  get ctime() {
    return new Date(this.ctimeMs);
  }
}

export class Dirent extends Kind {
  constructor(name, type, parentPath) {
    super(type);
    this.name = name;
    this.parentPath = parentPath;
  }
}
