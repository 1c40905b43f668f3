//! The measures of every check, within one scope of one class of clients.

/// Makes the table of checks and the [`Tally`](super::Tally) of their measures:
/// `file: field Measure, … => CHECK, …;`, by the checks' ids.
macro_rules! checks {
    ($($file:ident: $($field:ident $measure:ident),+ => $($check:ident),+;)*) => {
        /// Every check, by id.
        pub const CHECKS: &[CheckDefinition] = &[$($($file::$check,)+)*];

        /// The measures of every check.
        #[derive(Clone, Debug, Default)]
        pub(in crate::grading) struct Tally {
            $($(pub $field: $file::$measure,)+)*
            /// Operations of which not every try was kept.
            pub unkept: u64,
        }

        impl Tally {
            /// Adds the part of an operation that is in this tally's scope.
            pub fn see(&mut self, view: &View<'_>) {
                fn add<M: Measure>(measure: &mut M, view: &View<'_>) {
                    if M::OPERATIONS == Operations::All || !view.steps.is_empty() {
                        measure.see(view);
                    }
                }
                let is_short = view.operation.count > view.operation.tries.len() as u64;
                self.unkept += u64::from(is_short && !view.steps.is_empty());
                $($(add(&mut self.$field, view);)+)*
            }

            /// As [`Tally::see`], of an operation of one attempt that met no trouble.
            pub fn see_plain(&mut self, attempt: &Attempt) {
                $($(self.$field.see_plain(attempt);)+)*
            }

            /// Adds that of a class without operations in trouble.
            pub fn add_idle(&mut self, other: &Tally) {
                $($(self.$field.merge(&other.$field);)+)*
            }

            /// Every operation that a finding could name.
            pub fn evidence(&self) -> impl Iterator<Item = u64> {
                let samples = std::iter::empty()$($(.chain(self.$field.samples()))+)*;
                samples.flat_map(EvidenceSample::ids)
            }
        }
    };
}

pub(super) use checks;
