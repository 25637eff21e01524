//! The table a person reads and the file a program reads.

use std::fmt::Write as _;
use std::path::Path;

use crate::figures::{Figures, median, median_p99};

/// Prints the table, and writes it with the raw figures into `folder` under `name`.
///
/// # Errors
/// When the folder cannot be written.
#[expect(clippy::print_stdout, reason = "the table is what the command is for")]
pub(crate) fn write(figures: &Figures, folder: &Path, name: &str) -> anyhow::Result<()> {
    let text = markdown(figures);
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join(format!("{name}.json")), serde_json::to_vec_pretty(figures)?)?;
    std::fs::write(folder.join(format!("{name}.md")), &text)?;
    println!("{text}");
    Ok(())
}

/// Says what is being done, to whoever waits.
#[expect(clippy::print_stderr, reason = "progress is for the person at the terminal")]
pub(crate) fn progress(text: &str) {
    eprintln!("{text}");
}

fn markdown(figures: &Figures) -> String {
    let mut text = String::new();
    let settings = &figures.settings;
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "On {}.\n\n\
         | workload | ratio | of rounds | target | Mainstay/s | yardstick/s | median | 99 % | yardstick median | 99 % | 99 % to 99 % |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        figures.database,
    );
    for workload in &figures.workloads {
        let (ratio, least, most) = workload.ratio();
        let ours = &workload.mainstay[workload.mainstay.len() / 2];
        let theirs = &workload.yardstick[workload.yardstick.len() / 2];
        let _ = writeln!(
            text,
            "| {} | **{ratio:.2}** | {least:.2}–{most:.2} | {:.1} | {:.0} | {:.0} | {} | {} | {} | {} | {:.2} |",
            workload.name,
            workload.target,
            median(&workload.mainstay),
            median(&workload.yardstick),
            milliseconds(ours.median_us),
            milliseconds(ours.p99_us),
            milliseconds(theirs.median_us),
            milliseconds(theirs.p99_us),
            median_p99(&workload.mainstay) as f64 / median_p99(&workload.yardstick) as f64,
        );
    }
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let _ = writeln!(
        text,
        "\n| what | Mainstay | yardstick | target |\n| --- | ---: | ---: | ---: |\n\
         | import of {} rows{} | {:.0}/s | {:.0}/s | |\n\
         | start to first answer | {:.0} ms | | < 100 ms |\n\
         | memory, idle | {:.1} MiB | {:.1} MiB | < 30 MB |\n\
         | memory, after the load | {:.1} MiB | {:.1} MiB | |\n\
         | size of the program | {:.1} MiB | {:.1} MiB | ≤ 40 MB |",
        figures.import.rows,
        if settings.engine.has_words() { " with a full-text index" } else { "" },
        figures.import.mainstay_per_second,
        figures.import.yardstick_per_second,
        figures.start_ms,
        mebibytes(figures.idle_bytes),
        mebibytes(figures.idle_bytes_yardstick),
        mebibytes(figures.loaded_bytes),
        mebibytes(figures.loaded_bytes_yardstick),
        mebibytes(figures.binary_bytes),
        mebibytes(figures.binary_bytes_yardstick),
    );
    let _ = writeln!(
        text,
        "\n{} connections from one client thread on the same {} cores; {} rounds of {:.1} s on each server by turns after \
         {:.1} s of warm-up; {} customers, {} orders, {} reviews. The ratio is that of the medians; beside it, the least and the greatest \
         ratio of two neighbouring rounds. The last column divides the medians of the 99 % times.",
        settings.connections,
        settings.cores,
        settings.rounds,
        settings.round.as_secs_f64(),
        settings.warm_up.as_secs_f64(),
        settings.customers,
        settings.orders,
        settings.reviews,
    );
    text
}

fn milliseconds(micros: u64) -> String {
    format!("{:.1} ms", f64::from(u32::try_from(micros).unwrap_or(u32::MAX)) / 1000.0)
}
