//! `run --watch`: what changed is built and loaded again, and the next turn uses it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use kit::manifest::Manifest;
use kit::watch::Watched;
use session::{ComponentFile, Harness, Runtime, Session};

use crate::commands::build_project;
use crate::exit::{Failure, print};
use crate::render::Printer;

/// What is watched, and what a run of it was made of.
pub struct Watch {
    /// Its sources are what changes, not the component.
    project: Option<PathBuf>,
    component: ComponentFile,
    middleware: Vec<ComponentFile>,
    watched: Watched,
}

/// The project that a component or a path belongs to: the folder itself, or the one that the
/// component was built in.
pub fn project(typed: &str) -> Option<PathBuf> {
    let path = Path::new(typed);
    if kit::build::is_project(path) {
        return Some(path.into());
    }
    let folder = path.parent().filter(|parent| parent.ends_with(kit::build::OUTPUT))?.parent()?;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    kit::build::is_project(folder).then(|| folder.into())
}

/// The component of a project, built if it is not there yet or its sources are newer.
pub fn built(project: &Path) -> Result<ComponentFile> {
    let manifest = Manifest::read(project)
        .map_err(|error| Failure::usage("this is no project").because(error))?;
    let path = kit::build::output(project, &manifest);
    if !path.is_file() || kit::watch::is_newer(project, &path) {
        build_project(project, false)?;
    }
    Ok(ComponentFile::new(manifest.name, path))
}

impl Watch {
    pub fn new(
        project: Option<PathBuf>,
        component: ComponentFile,
        middleware: Vec<ComponentFile>,
    ) -> Self {
        let watched = Watched::new(project.as_deref().unwrap_or(&component.path));
        Self { project, component, middleware, watched }
    }

    /// Resolves when something changed.
    pub async fn changed(&mut self) {
        self.watched.changed().await;
    }

    /// Builds the project again, if there is one.
    pub fn rebuild(&self) -> Result<()> {
        if let Some(project) = &self.project {
            build_project(project, false)?;
        }
        Ok(())
    }

    /// Before a turn: puts what changed in the place of what runs. What cannot be built or loaded is
    /// said, and the turn runs what there was.
    pub fn refresh(&mut self, runtime: &Arc<Runtime>, session: &mut Session, printer: &Printer) {
        if !self.watched.has_changed() {
            return;
        }
        printer.note(&format!("{} changed", self.component.name));
        let loaded = self.rebuild().and_then(|()| {
            let Self { component, middleware, .. } = self;
            let harness = Harness::load_behind(runtime, component, middleware, || {
                printer.note(&format!("compiling {} for this machine, once", component.name));
            })?;
            Ok(session.replace(harness)?)
        });
        match loaded {
            Ok(()) => printer.note("this turn uses what changed"),
            Err(error) => {
                print(&error);
                printer.note("this turn uses what there was before");
            }
        }
    }
}
