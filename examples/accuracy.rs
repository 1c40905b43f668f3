//! How often the classifier of retry policies is right on simulated clients, as docs/GRADING.md tells it.
#![expect(clippy::print_stdout, clippy::expect_used, clippy::indexing_slicing, reason = "a table for people")]

#[path = "../tests/it/grading/policies.rs"]
mod policies;

use policies::{CELLS, HERDS, TABLE, measured};

fn main() {
    println!(
        "correct labels of 300 simulated clients, in percent; in brackets those of the study it follows\n"
    );
    print!("{:<36}", "policy");
    CELLS.iter().for_each(|(gaps, operations)| print!("{:>18}", format!("{gaps} gaps × {operations}")));
    println!();
    for ((policy, found), (_, expected)) in measured().into_iter().zip(TABLE) {
        print!("{policy:<36}");
        for (found, expected) in found.into_iter().zip(expected) {
            print!("{:>18}", format!("{found:.0} ({expected:.0})"));
        }
        println!();
    }
    println!("\nmedian herd index of 400 crowds\n\n{:<20}{:>18}{:>18}", "policy", "10 clients", "50 clients");
    for (herding, expected) in HERDS {
        let found = [10, 50].map(|clients| policies::herd(herding, clients, 400));
        let cell = |at: usize| format!("{:.2} ({:.2})", found[at], expected[at]);
        println!("{:<20}{:>18}{:>18}", format!("{herding:?}"), cell(0), cell(1));
    }
}
