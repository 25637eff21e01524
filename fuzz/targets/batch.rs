#![no_main]
//! Bodies of batches: the first line is what the first step gave, the rest the batch.

use libfuzzer_sys::fuzz_target;
use mainstay_query::Limits;
use mainstay_query::batch::{self, Answers, Method};
use mainstay_query::parse::{self, Purpose};

const BYTES_MAX: usize = 1 << 16;

fuzz_target!(|text: &str| {
    let limits = Limits { batch_steps_max: 20, ..Limits::default() };
    let (answer, body) = text.split_once('\n').unwrap_or(("[]", text));
    let Ok(batch) = batch::read(body.as_bytes(), &limits) else { return };
    let mut answers = Answers::default();
    for step in &batch.steps {
        let purpose = match step.method {
            Method::Get => Purpose::Read,
            Method::Post | Method::Put => Purpose::Insert,
            Method::Patch => Purpose::Update,
            Method::Delete => Purpose::Delete,
        };
        if let Ok(mut query) = parse::query(purpose, &step.path.query, &limits) {
            let is_well_placed = step.path.check(query.clone(), &limits).is_ok();
            let before = query.clone();
            let is_filled = step.path.fill(&mut query, &answers, &limits).is_ok();
            assert!(is_well_placed || !is_filled, "a reference is filled only where it may stand");
            // Values change operands and nothing else.
            assert_eq!((before.select, before.order, before.limit), (query.select, query.order, query.limit));
            assert_eq!(before.filters.len(), query.filters.len());
        }
        if let Some(Ok(body)) = step.body.as_ref().map(|body| body.fill(&answers, BYTES_MAX)) {
            let step = format!("{{\"steps\":[{{\"method\":\"POST\",\"path\":\"/t\",\"body\":{body}}}]}}");
            let is_json = match batch::read(step.as_bytes(), &limits) {
                Ok(_) => true,
                Err(error) => !error.to_string().contains("The body is not a batch"),
            };
            assert!(is_json, "a filled body is JSON: {body}");
        }
        if answers.push(Some(answer.as_bytes())).is_err() {
            answers.push(None).expect("nothing can be taken");
        }
    }
});
