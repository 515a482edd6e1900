// Node's `string_decoder`, from the npm package of the same name.
export { StringDecoder } from "string_decoder";
