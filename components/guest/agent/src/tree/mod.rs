//! A command together with everything that it started, however it ran away: found, signalled, killed.
//!
//! Two ways. With control groups (version 2) the kernel keeps the list, and kills it in one step that no
//! fork escapes. Without, [`proc`] walks the table of processes: descendants, the session, and a marker in
//! the environment for those who left both. Used by the agent alone; it must never touch a process that
//! no command of ours started.

mod cgroup;
mod proc;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

pub use cgroup::Groups;

/// For the walk of the table alone: how long a tree is killed again and again, because it may fork while
/// it is looked at.
const PURSUIT: Duration = Duration::from_secs(5);
/// And how often.
pub const PURSUIT_PAUSE: Duration = Duration::from_millis(10);

/// A place for a command that is about to start.
#[derive(Debug, Clone)]
pub enum Place {
    Group(PathBuf),
    /// The marker's value.
    Marked(String),
}

/// A command that runs, or ran: its daemons may still be there.
#[derive(Debug)]
pub struct Tree {
    place: Place,
    /// The command itself, while its process id is its own.
    root: Option<Pid>,
}

/// Makes places, in one way or the other.
#[derive(Debug)]
pub struct Trees {
    groups: Option<Groups>,
    /// Told apart from those of an agent before this one.
    prefix: String,
    next: u64,
    doomed: Vec<(Tree, Instant)>,
}

impl Trees {
    /// With control groups below `base`, if they can be made there; and why not, if they cannot.
    pub fn new(base: Option<&Path>) -> (Self, Option<String>) {
        let (groups, trouble) = match base.map(Groups::new) {
            None => (None, None),
            Some(Ok(groups)) => (Some(groups), None),
            Some(Err(error)) => (None, Some(error)),
        };
        let prefix = rustix::process::getpid().as_raw_nonzero().to_string();
        (Self { groups, prefix, next: 0, doomed: Vec::new() }, trouble)
    }

    pub fn place(&mut self) -> Result<Place, String> {
        self.next += 1;
        let name = format!("{}-{}", self.prefix, self.next);
        match &mut self.groups {
            Some(groups) => Ok(Place::Group(groups.make(&name)?)),
            None => Ok(Place::Marked(name)),
        }
    }

    /// Where tmux lives: beside all commands.
    pub fn windows(&self) -> Option<&Path> {
        self.groups.as_ref().map(Groups::windows)
    }

    /// The place is not needed: the command did not start.
    pub fn unused(&mut self, place: Place) {
        self.let_live(Tree { place, root: None });
    }

    /// Kills every process of the tree, now and for a while those that it forked meanwhile.
    pub fn kill(&mut self, tree: Tree) {
        tree.signal(Signal::KILL);
        self.doomed.push((tree, Instant::now() + PURSUIT));
    }

    /// Forgets a tree whose command ended; what it left in the background stays.
    pub fn let_live(&mut self, tree: Tree) {
        if let (Place::Group(group), Some(groups)) = (tree.place, &mut self.groups) {
            groups.discard(group);
            groups.sweep();
        }
    }

    /// Whether [`Trees::tend`] is to be called again soon.
    pub fn is_pursuing(&self) -> bool {
        !self.doomed.is_empty()
    }

    /// Kills what is left of doomed trees.
    pub fn tend(&mut self, now: Instant) {
        for (tree, until) in std::mem::take(&mut self.doomed) {
            if tree.signal(Signal::KILL) == 0 || now >= until {
                self.let_live(tree);
            } else {
                self.doomed.push((tree, until));
            }
        }
    }

    /// Removes groups that became empty. Called when processes ended.
    pub fn sweep(&mut self) {
        if let Some(groups) = &mut self.groups {
            groups.sweep();
        }
    }

    /// `pid` was waited for: it may become another's.
    pub fn waited_for(&mut self, pid: Pid) {
        for (tree, _) in self.doomed.iter_mut().filter(|(tree, _)| tree.root == Some(pid)) {
            tree.root_is_gone();
        }
    }
}

impl Tree {
    pub fn new(place: Place, root: Pid) -> Self {
        Self { place, root: Some(root) }
    }

    /// The command was waited for: its process id may become another's.
    pub fn root_is_gone(&mut self) {
        self.root = None;
    }

    /// Returns how many processes were there.
    pub fn signal(&self, signal: Signal) -> usize {
        let members = self.members();
        if let Place::Group(group) = &self.place
            && signal == Signal::KILL
            && cgroup::kill(group)
        {
            return members.len();
        }
        for member in &members {
            // It may have ended since.
            let _ = rustix::process::kill_process(*member, signal);
        }
        members.len()
    }

    fn members(&self) -> Vec<Pid> {
        match &self.place {
            Place::Group(group) => cgroup::members(group),
            Place::Marked(marker) => proc::members(marker, self.root),
        }
    }
}

impl Place {
    /// For the environment of the command.
    pub fn marker(&self) -> Option<(&'static str, &str)> {
        match self {
            Place::Group(_) => None,
            Place::Marked(marker) => Some((proc::MARKER, marker)),
        }
    }

    pub fn group(&self) -> Option<PathBuf> {
        match self {
            Place::Group(group) => Some(group.clone()),
            Place::Marked(_) => None,
        }
    }
}

/// This program once more, even if its file was replaced meanwhile.
pub fn this_program() -> Command {
    Command::new("/proc/self/exe")
}
