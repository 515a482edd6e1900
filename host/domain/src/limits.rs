//! Sizes that a guest controls, and the reason for each number. The WIT texts name these.

/// One content part: a large screenshot is 5 MB; 16 MiB leaves room and stops a guest from
/// filling the host with one call.
pub const PART_MAX_BYTES: usize = 16 << 20;
/// All parts of one list together: four of the largest.
pub const PARTS_MAX_BYTES: usize = 64 << 20;
/// A whole model request: histories with many images pass 64 MiB rarely, providers refuse more
/// than 32 to 100 MB anyway.
pub const REQUEST_MAX_BYTES: usize = 96 << 20;
/// Messages in one request: a session of a full day stays below 10,000.
pub const MESSAGES_MAX: usize = 100_000;
/// Tools in one request: providers cap at 128; harnesses with MCP servers send up to a few hundred.
pub const TOOLS_MAX: usize = 512;
/// Open completions of one session: parallel sub-agents in one guest are few.
pub const COMPLETIONS_MAX: usize = 16;
/// One emitted event: an edit's diff holds two whole files.
pub const EVENT_MAX_BYTES: usize = 16 << 20;
/// Events that wait for their reader before `emit` blocks: enough to never stall a terminal, and
/// a bound on what a flood can hold.
pub const EVENT_QUEUE: usize = 256;
/// A memory note.
pub const NOTE_MAX_BYTES: usize = 65_536;
pub const NOTE_TAGS_MAX: usize = 16;
pub const NOTE_TAG_MAX_BYTES: usize = 64;
/// One line of a list.
pub const TASK_TITLE_MAX_BYTES: usize = 256;
pub const TASK_DETAIL_MAX_BYTES: usize = 65_536;
/// Rows in one answer of a verb.
pub const PAGE_MAX: u32 = 100;
/// One log line.
pub const LOG_LINE_MAX_BYTES: usize = 8_192;
/// Log lines a minute before lines are dropped and counted: a chatty harness writes dozens.
pub const LOG_LINES_PER_MINUTE: u32 = 1_000;
/// A question and its choices together.
pub const QUESTION_MAX_BYTES: usize = 65_536;
/// Handles in one `wait`.
pub const WAIT_MAX: usize = 1_024;
