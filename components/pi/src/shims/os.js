// Node's `os`. The guest's home and its temporary files are in the private, checkpointed `/state`.

export const homedir = () => "/state";
export const tmpdir = () => "/state/tmp";
export const platform = () => "linux";
export const arch = () => "wasm32";
export const type = () => "Linux";
export const release = () => "0";
export const EOL = "\n";
export const constants = { signals: { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 } };

export default { homedir, tmpdir, platform, arch, type, release, EOL, constants };
