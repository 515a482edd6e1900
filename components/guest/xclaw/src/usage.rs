//! What `--help` prints.

pub const TEXT: &str = "\
Usage: xclaw <verb> [arguments]

  memory add TEXT [--tag TAG]…           keep a note beyond this session; prints its id
  memory search QUERY [--limit N]        notes by their words, best first
  memory list [--before ID] [--limit N]  notes, newest first
  memory delete ID
  task create TITLE [--detail TEXT] [--parent ID]
                                         prints the task's id
  task update ID [--title TEXT] [--detail TEXT] [--status STATUS]
                                         prints the task as it is then
  task status ID                         one task
  task list [--status STATUS] [--limit N]
  budget                                 what may still be spent, in nano-dollars
  log LEVEL MESSAGE                      a line in the agent's log
  ask QUESTION [--choice TEXT]…          ask the user, and wait for the answer
  version                                of the host and of its contract

STATUS is open, active, blocked, done, failed or cancelled. LEVEL is trace, debug, info, warn or
error. N is 1 to 100. `-` for TEXT, MESSAGE or QUESTION, or after --detail, reads standard input;
`--` ends the options.

Prints JSON. Exit status: 0 done, 1 the verb failed, 2 the host was not reached, 3 wrong usage.
";
