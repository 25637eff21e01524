#![no_main]
//! Values: what is read from text is written in canonical form, and that form reads back as the same value.

use libfuzzer_sys::fuzz_target;
use mainstay_schema::{Type, Value};

fuzz_target!(|input: (u8, &str)| {
    let (choice, text) = input;
    let scalars = [
        Type::Bool,
        Type::Int,
        Type::BigInt,
        Type::Float,
        Type::Decimal { precision: 12, scale: 3 },
        Type::Text,
        Type::Uuid,
        Type::Bytes,
        Type::Date,
        Type::Time,
        Type::Timestamp,
        Type::Json,
    ];
    let ty = scalars[usize::from(choice & 127) % scalars.len()].clone();
    let ty = if choice & 128 == 0 { ty } else { Type::Array(Box::new(ty)) };
    for value in [Value::parse(&ty, text), Value::parse_json(&ty, text)].into_iter().flatten() {
        let Some(canonical) = value.to_text() else { continue };
        let again = Value::parse(&ty, &canonical);
        assert_eq!(again.as_ref().ok(), Some(&value), "{ty}: {text:?} is written {canonical:?}, which reads otherwise");
    }
});
