//! Entries come back as they were, and nothing else does.

use proptest::prelude::*;

use super::*;

fn text() -> impl Strategy<Value = Box<str>> {
    "\\PC{0,20}".prop_map(Box::from)
}

fn hash() -> impl Strategy<Value = Packed> {
    any::<(u64, u64)>().prop_map(|(high, low)| Packed(high, low))
}

fn moment() -> impl Strategy<Value = Moment> {
    any::<u64>().prop_map(Moment)
}

fn response() -> impl Strategy<Value = Arc<StoredResponse>> {
    let header = ("[a-z][a-z0-9-]{0,12}", prop::collection::vec(0x20..0x7Fu8, 0..12));
    let headers = prop::collection::vec(header, 0..6);
    let body = prop::collection::vec(any::<u8>(), 0..300);
    (any::<u64>(), 100..1_000u16, headers, body).prop_map(|(connection, status, lines, body)| {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().expect("a name");
            headers.append(name, HeaderValue::from_bytes(&value).expect("a value"));
        }
        let status = StatusCode::from_u16(status).expect("a status");
        Arc::new(StoredResponse { connection, status, headers, body: body.into() })
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    let seen = (prop::option::of(text()), any::<Option<i64>>(), prop::collection::vec(text(), 0..8));
    let version =
        (seen, moment(), any::<u64>()).prop_map(|((version, modified, rivals), changed, superseded)| {
            let seen = KnownVersion { version, modified, rivals: rivals.into() };
            Entry::Version(Box::new(VersionEntry { seen, changed, superseded }))
        });
    let opened = (any::<u64>(), any::<u32>(), moment(), hash(), any::<bool>());
    prop_oneof![
        Just(Entry::Nothing),
        any::<u64>().prop_map(Entry::Count),
        (any::<u64>(), moment()).prop_map(|(count, full_at)| Entry::Window { count, full_at }),
        version,
        (any::<u64>(), hash(), moment()).prop_map(|(ticket, payload, until)| Entry::In {
            ticket,
            payload,
            until
        }),
        (hash(), prop::option::of(response()))
            .prop_map(|(payload, response)| Entry::Finished { payload, response }),
        (hash(), prop::option::of(moment())).prop_map(|(holder, until)| Entry::Held { holder, until }),
        any::<u64>().prop_map(Entry::References),
        (moment(), any::<u64>()).prop_map(|(first, count)| Entry::Since { first, count }),
        (moment(), prop::option::of(response()))
            .prop_map(|(changed, response)| Entry::Shown { changed, response }),
        opened.prop_map(|(n, tries, since, validator, is_read)| Entry::Opened {
            n,
            tries,
            since,
            validator,
            is_read
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn an_entry_comes_back_and_no_part_of_it_does(entry in entry()) {
        let bytes = entry.encode();
        prop_assert_eq!(Entry::decode(&bytes), Ok(entry));
        for length in 0..bytes.len() {
            prop_assert!(Entry::decode(&bytes[..length]).is_err());
        }
        let longer = [&bytes[..], &[0]].concat();
        prop_assert_eq!(Entry::decode(&longer), Err(DecodeError::Rest(1)));
    }

    #[test]
    fn whatever_the_bytes_what_is_read_is_what_is_written(mut bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Entry::decode(&bytes);
        if let [format, tag, ..] = &mut bytes[..] {
            (*format, *tag) = (FORMAT, *tag % 11);
        }
        if let Ok(entry) = Entry::decode(&bytes) {
            prop_assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
        }
    }
}

#[test]
fn the_format_is_the_one_that_other_versions_of_the_program_read() {
    let held = Entry::Held { holder: Packed(1, 2), until: Some(Moment(300)) };
    let mut bytes = vec![1, 6, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0xAC, 2];
    assert_eq!(held.encode(), bytes);
    bytes[0] = 2;
    assert_eq!(Entry::decode(&bytes), Err(DecodeError::Format(2)));
    assert_eq!(Entry::decode(&[1, 11]), Err(DecodeError::Tag(11)));
    assert_eq!(Entry::decode(&[1, 1, 0x80, 0]), Err(DecodeError::Field), "a number with two spellings");
    assert_eq!(Entry::decode(&[]), Err(DecodeError::Short));
}
