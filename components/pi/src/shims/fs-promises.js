// Node's `fs/promises`.
import * as fs from "./fs.js";

const later = (action) => async (...args) => action(...args);

export const access = later(fs.accessSync);
export const appendFile = later(fs.appendFileSync);
export const lstat = later(fs.lstatSync);
export const mkdir = later(fs.mkdirSync);
export const readFile = later(fs.readFileSync);
export const readdir = later(fs.readdirSync);
export const realpath = later(fs.realpathSync);
export const rename = later(fs.renameSync);
export const rm = later(fs.rmSync);
export const rmdir = later(fs.rmdirSync);
export const stat = later(fs.statSync);
export const unlink = later(fs.unlinkSync);
export const writeFile = later(fs.writeFileSync);
export const constants = fs.constants;

/** A file handle with the two methods that pi calls: it reads the first bytes of images. */
export async function open(target, flag) {
  const number = fs.openSync(target, flag);
  return {
    close: async () => fs.closeSync(number),
    read: async (buffer, offset, length, position) => ({
      bytesRead: fs.readSync(number, buffer, offset, length, position),
      buffer,
    }),
  };
}

export default {
  access,
  appendFile,
  constants,
  lstat,
  mkdir,
  open,
  readFile,
  readdir,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
  writeFile,
};
