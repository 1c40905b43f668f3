//! `[expect]`, at the top level and in a rule.

use super::Reader;
use super::expected;
use super::fields::{Fields, GivenKey};
use crate::model::CheckId;
use crate::rules::keys::EXPECT;
use crate::rules::{Expect, Grade};

const GRADES: [(&str, Grade); 3] = [("off", Grade::Off), ("warn", Grade::Warn), ("fail", Grade::Fail)];

impl Reader<'_> {
    pub fn expect(&mut self, given: &GivenKey) -> Expect {
        let Some(mut fields) = self.fields(given, &EXPECT) else { return Expect::default() };
        let expect = Expect {
            max_tries: fields.take("max_tries").and_then(|given| self.at_least_one(&given)),
            min_gap: fields.take("min_gap").and_then(|given| self.duration(&given)),
            backoff: self.asked(&mut fields, "backoff"),
            jitter: self.asked(&mut fields, "jitter"),
            retry_after: self.asked(&mut fields, "retry_after"),
            refetch: self.asked(&mut fields, "refetch"),
            new_version: self.asked(&mut fields, "new_version"),
            same_key: self.asked(&mut fields, "same_key"),
            recovered: fields.take("recovered").and_then(|given| self.share(&given)),
            amplification: fields.take("amplification").and_then(|given| self.factor(&given)),
            no_retry: self.asked(&mut fields, "no_retry"),
            fired: fields.take("fired").and_then(|given| self.at_least_one(&given)),
            checks: CheckId::all()
                .filter_map(|id| {
                    let given = fields.take(&id.to_string())?;
                    Some((id, self.choice(&given, &GRADES)?))
                })
                .collect(),
        };
        expected::contradictions(self, &fields, &expect);
        fields.finish(self);
        expect
    }

    fn asked(&mut self, fields: &mut Fields, name: &str) -> Option<bool> {
        fields.take(name).and_then(|given| self.boolean(&given))
    }
}
