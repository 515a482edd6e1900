//! Telling the user how far a budget is used, once a turn for each thing there is to tell.

use domain::{BudgetLine, Event, OnExceeded};
use store::ledger::Cap;

use crate::pipeline::Observer;
use crate::steps::{Steps, Told};

/// Reports caps that reached a warning percentage, and those that only alert and are passed.
pub(crate) fn warn(lines: &[(Cap, BudgetLine)], steps: &Steps, observer: &dyn Observer) {
    for (cap, line) in lines {
        let used = line.settled.saturating_add(line.reserved);
        let passed = cap.on_exceeded == OnExceeded::Alert && used > line.cap;
        if passed && steps.tell(Told::Passed(line.scope, line.window)) {
            let left = "is passed; it only alerts, so the work goes on";
            report(line, left, observer);
        }
        if let Some(percent) = cap.warning(line)
            && steps.tell(Told::Percent(line.scope, line.window, percent))
        {
            report(line, &format!("is spent to {percent} %"), observer);
        }
    }
}

/// Reports the cap for which a turn waits.
pub(crate) fn paused(line: &BudgetLine, observer: &dyn Observer) {
    let until = match line.resets_at {
        Some(_) => "is spent; waiting until it resets or is raised",
        None => "is spent and never resets; waiting until it is raised",
    };
    report(line, until, observer);
    observer.paused(line);
}

fn report(line: &BudgetLine, state: &str, observer: &dyn Observer) {
    observer.event(Event::Budget {
        scope: line.scope,
        window: line.window,
        cap: line.cap,
        used: line.settled.saturating_add(line.reserved),
        message: format!("the {} {} budget of {} {state}", line.scope, line.window, line.cap),
    });
}
