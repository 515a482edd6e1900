// Node's `buffer`, from the npm package of the same name.
export { Buffer } from "buffer";
