//! `mainstay slow [DIR]`: what took the database long while a project was served.

use super::{Failure, Folder, Globals};
use crate::statements::{self, Statement, Wanted};

/// Arguments of `mainstay slow`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The process that serves the project writes slow statements down four times a minute, and at its
end; the counts begin anew when it starts. What is slow says log.slow_ms. `mainstay advise --write`
writes the indexes down.

Examples:
  mainstay slow shop
  mainstay slow shop --json"
)]
pub(super) struct Args {
    #[command(flatten)]
    folder: Folder,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    // A project whose schema has mistakes was slow all the same.
    let project = globals.open_without_schema(&args.folder.folder)?;
    let console = globals.console();
    let slow = statements::read(&project)?;
    if console.json {
        console.value(&slow);
        return Ok(());
    }
    slow.iter().for_each(|one| console.line(words(one)));
    if slow.is_empty() {
        console.line(match project.settings.log.slow_ms {
            0 => "slow statements are not kept: log.slow_ms is 0".to_owned(),
            ms => format!("no statement took {ms} ms or more since the last start"),
        });
    }
    Ok(())
}

fn words(slow: &Statement) -> String {
    let Statement { outline, count, total_ms, p99_ms, worst_ms, plan, indexes } = slow;
    let figures = format!("{count} times, {total_ms} ms in all, 99 of 100 within {p99_ms} ms, {worst_ms} ms at worst");
    let mut lines = vec![outline.clone(), format!("  {figures}")];
    lines.extend(indexes.iter().map(|wanted| format!("  an index on {} would help", index_words(wanted))));
    lines.extend(plan.iter().map(|line| format!("    {line}")));
    lines.join("\n")
}

fn index_words(wanted: &Wanted) -> String {
    let column = |(name, down): &(String, bool)| if *down { format!("{name} desc") } else { name.clone() };
    let columns: Vec<String> = wanted.columns.iter().map(column).collect();
    format!("{} ({})", wanted.table, columns.join(", "))
}
